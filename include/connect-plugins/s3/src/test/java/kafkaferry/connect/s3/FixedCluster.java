package kafkaferry.connect.s3;

import java.util.Collection;
import java.util.HashMap;
import java.util.Map;
import java.util.TreeMap;

/** A cluster that says what a test wants. */
final class FixedCluster implements Cluster {
    final Map<String, Topic> topics = new TreeMap<>();
    final Map<Place, Long> starts = new HashMap<>();
    final Map<Place, Long> ends = new HashMap<>();

    FixedCluster with(String name, String id, int partitions) {
        topics.put(name, new Topic(id, partitions, 1));
        return this;
    }

    @Override
    public String id() {
        return "cluster";
    }

    @Override
    public Collection<String> names() {
        return topics.keySet();
    }

    @Override
    public Map<String, Topic> topics(Collection<String> names) {
        final Map<String, Topic> found = new HashMap<>(topics);
        found.keySet().retainAll(names);
        return found;
    }

    @Override
    public Map<Place, Long> starts(Collection<Place> places) {
        final Map<Place, Long> found = new HashMap<>();
        places.forEach(place -> found.put(place, starts.getOrDefault(place, 0L)));
        return found;
    }

    @Override
    public Map<Place, Long> ends(Collection<Place> places) {
        final Map<Place, Long> found = new HashMap<>();
        places.forEach(place -> found.put(place, ends.getOrDefault(place, Long.MAX_VALUE)));
        return found;
    }

    @Override
    public void close() {}
}

package kafkaferry.connect.s3;

import java.time.Instant;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.function.Predicate;
import org.apache.kafka.connect.errors.ConnectException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Declares what tasks have written: each time there is something new, a COMPLETE manifest that continues the last one. One task of a
 * connector does it, for all.
 */
final class ManifestWriter {
    private static final Logger LOG = LoggerFactory.getLogger(ManifestWriter.class);
    private static final DateTimeFormatter ID = DateTimeFormatter.ofPattern("yyyyMMdd'T'HHmmssSSS'Z'").withZone(ZoneOffset.UTC);

    private final Store store;
    private final Cluster cluster;
    private final String export;
    private final String isolation;
    private final Predicate<String> wanted;
    /** Those that were told. */
    private final Set<String> deleted = new HashSet<>();

    /** @param wanted whether the sink reads a topic */
    ManifestWriter(Store store, Cluster cluster, String export, String isolation, Predicate<String> wanted) {
        this.store = store;
        this.cluster = cluster;
        this.export = export;
        this.isolation = isolation;
        this.wanted = wanted;
    }

    /** How far a topic's partitions are declared. */
    static final class Reached {
        final String topicId;
        final Map<Integer, Long> ends = new HashMap<>();

        Reached(String topicId) {
            this.topicId = topicId;
        }
    }

    /** How far the newest manifest of a sink comes, by topic. */
    static Map<String, Reached> reached(Map<String, Object> manifest) {
        final Map<String, Reached> found = new HashMap<>();
        if (manifest != null) {
            for (Map<String, Object> topic : Manifests.list(manifest, "topics")) {
                final Reached own = new Reached((String) topic.get("topic_id"));
                for (Map<String, Object> partition : Manifests.list(topic, "partitions")) {
                    own.ends.put(((Long) partition.get("partition")).intValue(), (Long) partition.get("end"));
                }
                found.put((String) topic.get("name"), own);
            }
        }
        return found;
    }

    /** Writes the next manifest, if there is anything new; its id, or null. */
    String declare(Instant now) {
        final Map<String, Map<String, List<Note>>> notes = new HashMap<>();
        for (Note note : Note.all(store, export)) {
            notes.computeIfAbsent(note.topic, name -> new HashMap<>()).computeIfAbsent(note.topicId, id -> new ArrayList<>()).add(note);
        }
        if (notes.isEmpty()) {
            return null;
        }
        final Map<String, Object> last = Manifests.newestOfSink(store, export);
        final Map<String, Reached> reached = reached(last);
        final TreeSet<String> names = new TreeSet<>(reached.keySet());
        names.addAll(notes.keySet());
        cluster.names().stream().filter(wanted).forEach(names::add);
        final Map<String, Cluster.Topic> topics = cluster.topics(names);
        final List<Object> written = new ArrayList<>();
        final Collection<String> declared = new ArrayList<>();
        final long[] totals = new long[4];
        for (String name : names) {
            final Cluster.Topic topic = topics.get(name);
            if (topic == null) {
                if (deleted.add(name)) {
                    LOG.warn("topic {} was deleted: what was read of it last is in no manifest", name);
                }
                continue;
            }
            final List<Note> own = notes.getOrDefault(name, Map.of()).getOrDefault(topic.id, List.of());
            written.add(topic(name, topic, reached.get(name), own, declared, totals));
        }
        if (totals[3] == 0) {
            store.delete(declared);
            return null;
        }
        final String id = Manifests.SINK + ID.format(now);
        final String parent = last == null ? null : (String) last.get("backup_id");
        if (parent != null && id.compareTo(parent) <= 0) {
            throw new ConnectException("the clock says " + now + ", and manifest " + parent + " is there already. Fix: set the clock right");
        }
        store.put(Layout.manifest(export, id), Chunks.of(Manifests.written(manifest(id, parent, now, written, totals))));
        store.delete(declared);
        LOG.info("{}{}: {} records in {} objects", store.location(), Layout.manifest(export, id), totals[0], totals[3]);
        return id;
    }

    private Map<String, Object> manifest(String id, String parent, Instant now, List<Object> topics, long[] totals) {
        final Map<String, Object> found = new TreeMap<>();
        found.put("schema", Manifests.SCHEMA);
        found.put("backup", export);
        found.put("backup_id", id);
        found.put("state", "COMPLETE");
        found.put("mode", parent == null ? "full" : "incremental");
        found.put("parent", parent);
        if (parent != null) {
            found.put("follows", parent);
        }
        found.put("created", now.toString());
        found.put("completed", now.toString());
        found.put("cluster_id", cluster.id());
        found.put("isolation_level", isolation);
        found.put("topics", topics);
        found.put("groups", Map.of());
        found.put("acls", null);
        found.put("notes", List.of("written by S3SegmentSinkConnector"));
        final Map<String, Object> sums = new TreeMap<>();
        sums.put("records", totals[0]);
        sums.put("bytes", totals[1]);
        sums.put("size", totals[2]);
        sums.put("objects", totals[3]);
        sums.put("seconds", 0L);
        sums.put("puts", 2 * totals[3] + 1);
        found.put("totals", sums);
        return found;
    }

    private Map<String, Object> topic(String name, Cluster.Topic topic, Reached before, List<Note> notes, Collection<String> declared,
            long[] totals) {
        final boolean same = before != null && before.topicId.equals(topic.id);
        int count = topic.partitions;
        for (Note note : notes) {
            count = Math.max(count, note.partition + 1); // one that was added a moment ago
        }
        final List<Object> partitions = new ArrayList<>();
        for (int number = 0; number < count; number++) {
            final Long end = same ? before.ends.get(number) : null;
            partitions.add(partition(name, number, end, notes, declared, totals));
        }
        final Map<String, Object> found = new TreeMap<>();
        found.put("name", name);
        found.put("topic_id", topic.id);
        found.put("replication_factor", (long) topic.replicas);
        found.put("configs", topic.configs);
        found.put("compacted", topic.compacted);
        found.put("log_append_time", topic.logAppendTime);
        found.put("recreated", before != null && !same ? before.topicId : null);
        found.put("partitions", partitions);
        return found;
    }

    private Map<String, Object> partition(String name, int number, Long declaredTo, List<Note> notes, Collection<String> declared,
            long[] totals) {
        Long begin = declaredTo == null || declaredTo == 0 ? null : declaredTo; // 0: nothing was ever read of it
        long end = begin == null ? 0 : begin;
        final List<Object> gaps = new ArrayList<>();
        final List<Object> segments = new ArrayList<>();
        for (Note note : notes) { // in order
            if (note.partition != number) {
                continue;
            }
            if (begin == null) { // the first there is: what the log had lost by then
                begin = note.begin;
                end = note.begin;
                if (begin > 0) {
                    gaps.add(Segment.gap(0, begin, "retention"));
                }
            }
            if (note.end > end) {
                if (note.begin != end) {
                    throw new ConnectException(name + "-" + number + ": objects reach to offset " + end + ", and the next begins at "
                        + note.begin + ": a note of the sink is missing, or two connectors write to the export " + export);
                }
                segments.add(note.segment);
                end = note.end;
                totals[0] += (Long) note.segment.get("records");
                totals[1] += (Long) note.segment.get("bytes");
                totals[2] += (Long) note.segment.get("size");
                totals[3]++;
            }
            declared.add(Layout.note(export, note.topic, note.topicId, note.partition, note.begin));
        }
        final Map<String, Object> found = new TreeMap<>();
        found.put("partition", (long) number);
        found.put("begin", begin == null ? 0 : begin);
        found.put("end", end);
        found.put("segments", segments);
        found.put("gaps", gaps);
        return found;
    }
}

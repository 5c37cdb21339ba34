package kafkaferry.connect.s3;

import java.time.Instant;
import java.time.OffsetDateTime;
import java.time.format.DateTimeParseException;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.function.BiPredicate;
import org.apache.kafka.connect.errors.ConnectException;

/** What the COMPLETE manifests of an export hold of a task's partitions, and what of it comes next. */
final class Backlog {
    /** An object of a partition, or a range without a record (its key is null). */
    static final class Line {
        final String key;
        final long begin;
        final long end;
        final long records;
        final long size;
        final String sha256;

        Line(Map<String, Object> segment) {
            key = (String) segment.get("key");
            begin = (Long) segment.get("begin");
            end = (Long) segment.get("end");
            records = (Long) segment.get("records");
            size = (Long) segment.get("size");
            sha256 = (String) segment.get("sha256");
        }
    }

    /** One partition of one life of a topic. */
    static final class Partition {
        final String topic;
        final String topicId;
        final int number;
        /** Source offset that comes next; -1: wherever the export begins. */
        long position;
        private final TreeMap<Long, Line> lines = new TreeMap<>();
        private final List<long[]> gaps = new ArrayList<>();

        Partition(String topic, String topicId, int number, long position) {
            this.topic = topic;
            this.topicId = topicId;
            this.number = number;
            this.position = position;
        }

        /** Of two that begin alike, which overlapping exports have, the one that reaches farther. */
        void add(Line line) {
            lines.merge(line.begin, line, (one, other) -> other.end > one.end ? other : one);
        }

        /**
         * The object that comes next; null when all is read.
         *
         * @throws ConnectException offsets between are in no manifest, and none says why
         */
        Line next() {
            while (true) {
                while (!lines.isEmpty() && lines.firstEntry().getValue().end <= Math.max(position, 0)) {
                    lines.pollFirstEntry();
                }
                if (lines.isEmpty()) {
                    return null;
                }
                Line best = null;
                for (Line line : lines.headMap(Math.max(position, 0), true).values()) {
                    best = line.end > Math.max(position, 0) && (best == null || line.end > best.end) ? line : best;
                }
                if (best == null) {
                    best = lines.firstEntry().getValue();
                    if (position >= 0 && explained(position) < best.begin) {
                        throw new ConnectException(topic + "-" + number + ": offsets " + explained(position) + " to " + (best.begin - 1)
                            + " are in no manifest, and none says why: manifests were deleted before they were read. Fix: a connector "
                            + "of another name, into another topic, begins with what there is");
                    }
                }
                if (best.key != null && best.records > 0) {
                    return best;
                }
                position = best.end; // a range without a record
            }
        }

        /** Offset up to which gaps that manifests tell reach without a break. */
        private long explained(long from) {
            long at = from;
            for (boolean moved = true; moved; ) {
                moved = false;
                for (long[] gap : gaps) {
                    if (gap[0] <= at && gap[1] > at) {
                        at = gap[1];
                        moved = true;
                    }
                }
            }
            return at;
        }
    }

    /** Where a partition was left; -1 where it was never read. */
    interface Positions {
        long of(String topic, String topicId, int partition);
    }

    private final Store store;
    private final String export;
    private final BiPredicate<String, Integer> mine;
    private final java.util.function.Predicate<String> wanted;
    private final Positions positions;
    private final Set<String> known = new HashSet<>();
    private final Map<String, String> lives = new HashMap<>();
    private final Map<Cluster.Place, Partition> partitions = new LinkedHashMap<>();

    /** @param wanted whether a topic is read. @param mine whether this task reads a partition */
    Backlog(Store store, String export, java.util.function.Predicate<String> wanted, BiPredicate<String, Integer> mine,
            Positions positions) {
        this.store = store;
        this.export = export;
        this.wanted = wanted;
        this.mine = mine;
        this.positions = positions;
    }

    /** Topics that were seen so far. */
    Set<String> topics() {
        return lives.keySet();
    }

    Iterable<Partition> partitions() {
        return partitions.values();
    }

    /** Reads the manifests that are new. */
    void refresh() {
        final List<Map<String, Object>> fresh = new ArrayList<>();
        final List<String> keys = Manifests.keys(store, export, null);
        keys.removeAll(known);
        final List<Map<String, Object>> read = Parallel.map(keys, key -> Manifests.read(store, export, key));
        for (int at = 0; at < keys.size(); at++) {
            final String key = keys.get(at);
            final Map<String, Object> manifest = read.get(at);
            if (manifest != null && Manifests.isComplete(manifest)) { // what is COMPLETE never changes again
                known.add(key);
                fresh.add(manifest);
            }
        }
        fresh.sort(Comparator.comparing(Backlog::created));
        checkLives(fresh);
        for (Map<String, Object> manifest : fresh) {
            take(manifest);
        }
    }

    static Instant created(Map<String, Object> manifest) {
        try {
            return OffsetDateTime.parse((String) manifest.get("created")).toInstant();
        } catch (DateTimeParseException error) {
            throw new DamagedObject("manifest " + manifest.get("backup_id"), "created is no time", error);
        }
    }

    /** Of a topic that was recreated only the last life is read, and none in the place of another that was begun. */
    private void checkLives(List<Map<String, Object>> fresh) {
        final Map<String, String> newest = new HashMap<>();
        final Map<String, Set<String>> all = new HashMap<>();
        for (Map<String, Object> manifest : fresh) {
            for (Map<String, Object> topic : Manifests.list(manifest, "topics")) {
                final String name = (String) topic.get("name");
                if (wanted.test(name)) {
                    newest.put(name, (String) topic.get("topic_id"));
                    all.computeIfAbsent(name, one -> new HashSet<>()).add((String) topic.get("topic_id"));
                    for (Map<String, Object> partition : Manifests.list(topic, "partitions")) {
                        final int number = ((Long) partition.get("partition")).intValue();
                        for (String id : all.get(name)) {
                            if (!id.equals(newest.get(name)) && mine.test(name, number) && positions.of(name, id, number) >= 0) {
                                throw recreated(name);
                            }
                        }
                    }
                }
            }
        }
        newest.forEach((name, id) -> {
            if (!lives.getOrDefault(name, id).equals(id)) {
                throw recreated(name);
            }
            lives.put(name, id);
        });
    }

    private static ConnectException recreated(String name) {
        return new ConnectException("topic " + name + " was recreated: what the new one holds would follow what the old one held. Fix: a "
            + "connector of another name, into another topic, reads the new one from its beginning");
    }

    private void take(Map<String, Object> manifest) {
        for (Map<String, Object> topic : Manifests.list(manifest, "topics")) {
            final String name = (String) topic.get("name");
            final String id = (String) topic.get("topic_id");
            if (!wanted.test(name) || !id.equals(lives.get(name))) {
                continue;
            }
            for (Map<String, Object> partition : Manifests.list(topic, "partitions")) {
                final int number = ((Long) partition.get("partition")).intValue();
                if (mine.test(name, number)) {
                    take(partition, partitions.computeIfAbsent(new Cluster.Place(name, number),
                        place -> new Partition(name, id, number, positions.of(name, id, number))));
                }
            }
        }
    }

    private void take(Map<String, Object> partition, Partition own) {
        for (Map<String, Object> gap : Manifests.list(partition, "gaps")) {
            own.gaps.add(new long[] {(Long) gap.get("begin"), (Long) gap.get("end")});
        }
        for (Map<String, Object> segment : Manifests.list(partition, "segments")) {
            final Line line = new Line(segment);
            if (line.key != null && !Layout.isOwn(line.key, export, own.topic, own.topicId, own.number, line.begin, line.sha256)) {
                throw new DamagedObject(line.key, "a manifest names it for " + own.topic + "-" + own.number + ", whose object it is not");
            }
            if (line.end > own.position) {
                own.add(line);
            }
        }
    }
}

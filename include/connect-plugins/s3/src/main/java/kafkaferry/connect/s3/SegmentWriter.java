package kafkaferry.connect.s3;

import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.function.LongSupplier;
import org.apache.kafka.connect.errors.ConnectException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Writes the records of a task's partitions as objects. What lies in the store says where each partition goes on, and not the
 * worker's offsets: so an object that is there is never written twice, whoever was killed when.
 *
 * <p>An object is made first, then the note on it. A note is what counts: an object without one is written again, under the same key.
 */
final class SegmentWriter implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(SegmentWriter.class);

    /** What ends an object. */
    static final class Limits {
        final int records;
        final long bytes;
        final long age;
        final int part;
        final long memory;
        final int open;

        Limits(int records, long bytes, long age, int part, long memory, int open) {
            this.records = records;
            this.bytes = bytes;
            this.age = age;
            this.part = part;
            this.memory = memory;
            this.open = open;
        }
    }

    private static final class Partition {
        final String topicId;
        final boolean compacted;
        /** Offset that is written next: behind all that is in the store, or in the open object. */
        long next;
        /** Offset behind all that is in the store. */
        long stored;
        Segment open;
        /** Offset at which the open object ends at the latest. */
        long edge;

        Partition(String topicId, boolean compacted, long next) {
            this.topicId = topicId;
            this.compacted = compacted;
            this.next = next;
            this.stored = next;
        }
    }

    private final Store store;
    private final Cluster cluster;
    private final String export;
    private final Limits limits;
    private final LongSupplier clock;
    private final Format format;
    private final Packer packer = new Packer();
    private final Map<Cluster.Place, Partition> partitions = new HashMap<>();
    /** Those with an open object, the oldest first. */
    private final Map<Cluster.Place, Partition> open = new LinkedHashMap<>();
    private long memory;

    /** @param clock ms */
    SegmentWriter(Store store, Cluster cluster, String export, Format format, Limits limits, LongSupplier clock) {
        this.store = store;
        this.cluster = cluster;
        this.export = export;
        this.format = format;
        this.limits = limits;
        this.clock = clock;
    }

    /** Takes on partitions; the offset from which each goes on. */
    Map<Cluster.Place, Long> begin(Collection<Cluster.Place> places) {
        final TreeSet<String> names = new TreeSet<>();
        places.forEach(place -> names.add(place.topic));
        final Map<String, Cluster.Topic> topics = cluster.topics(names);
        for (String name : names) {
            if (!topics.containsKey(name)) {
                throw new ConnectException("topic " + name + " is not on the cluster of " + SinkConfig.BOOTSTRAP
                    + ". Fix: give the bootstrap servers of the cluster that the worker reads");
            }
        }
        final Map<String, String> ids = new HashMap<>();
        topics.forEach((name, topic) -> ids.put(name, topic.id));
        final Map<Cluster.Place, Long> ends = ends(ids);
        final Map<Cluster.Place, Long> logEnds = cluster.ends(places);
        final List<Cluster.Place> fresh = new ArrayList<>();
        final Set<String> folders = new HashSet<>();
        for (Cluster.Place place : places) {
            final Cluster.Topic topic = topics.get(place.topic);
            final long end = ends.getOrDefault(place, 0L);
            if (end > 0 && logEnds.get(place) < end) {
                throw cut(place, logEnds.get(place), end);
            }
            partitions.put(place, new Partition(topic.id, topic.compacted, end));
            if (end == 0) {
                fresh.add(place);
            }
            folders.add(Layout.partition(export, place.topic, topic.id, place.partition));
        }
        store.abortUploads(Layout.data(export), key -> folders.contains(key.substring(0, key.lastIndexOf('/') + 1)));
        if (!fresh.isEmpty()) {
            cluster.starts(fresh).forEach((place, start) -> {
                partitions.get(place).next = start;
                partitions.get(place).stored = start;
            });
        }
        final Map<Cluster.Place, Long> found = new HashMap<>();
        places.forEach(place -> found.put(place, partitions.get(place).next));
        return found;
    }

    /** Offsets behind all that is in the store, of these topics (name to id). */
    private Map<Cluster.Place, Long> ends(Map<String, String> ids) {
        final Map<Cluster.Place, Long> found = new HashMap<>();
        // Notes before the manifest: what a note is deleted for is in a manifest by then.
        for (Note note : Note.all(store, export)) {
            if (note.topicId.equals(ids.get(note.topic))) {
                found.merge(new Cluster.Place(note.topic, note.partition), note.end, Math::max);
            }
        }
        ManifestWriter.reached(Manifests.newestOfSink(store, export)).forEach((name, reached) -> {
            if (reached.topicId.equals(ids.get(name))) {
                reached.ends.forEach((number, end) -> found.merge(new Cluster.Place(name, number), end, Math::max));
            }
        });
        return found;
    }

    /**
     * Looks whether another task has taken the partitions over: after this one stood still, it may not know yet.
     *
     * @throws ConnectException one has
     */
    void check() {
        final Map<String, String> ids = new HashMap<>();
        partitions.forEach((place, own) -> ids.put(place.topic, own.topicId));
        final Map<Cluster.Place, Long> ends = ends(ids);
        partitions.forEach((place, own) -> {
            if (ends.getOrDefault(place, 0L) > own.stored) {
                throw takenOver(place);
            }
        });
    }

    private ConnectException cut(Cluster.Place place, long offset, long stored) {
        return new ConnectException(place + ": its log is at offset " + offset + ", and the objects in " + store.location() + " reach to "
            + stored + ": records that were read are gone from the cluster (an unclean leader election, a recreated topic where brokers or "
            + "workers know no topic ids). Fix: find the cause, then give another " + Config.EXPORT);
    }

    private static ConnectException takenOver(Cluster.Place place) {
        return new ConnectException(place + ": another task has written what this one was about to write: it stood still for so long that "
            + "its partitions moved, or two connectors write to one " + Config.EXPORT + ". Fix: restart the task; it goes on behind "
            + "what is there");
    }

    /**
     * Takes the next record of a partition.
     *
     * @throws ConnectException it comes again: the worker goes on where it was told, so the log is another one
     */
    void add(Cluster.Place place, Entry entry) {
        final Partition own = partitions.get(place);
        if (own == null) {
            throw new ConnectException("a record of " + place + ", which is none of this task's partitions: something renames topics "
                + "before the sink. Fix: leave out transforms of the sink, and rename in the source");
        }
        if (entry.offset < own.next) {
            throw cut(place, entry.offset, own.next);
        }
        if (own.open != null && entry.offset >= own.edge) {
            own.open.skipTo(own.edge); // the record before the edge is missing
            end(place);
        }
        if (own.open == null) {
            while (open.size() >= limits.open) {
                end(open.keySet().iterator().next());
            }
            own.open = new Segment(store, format, packer, export, place.topic, own.topicId, place.partition, own.next, limits.part,
                clock.getAsLong());
            // The next multiple of the limit, wherever the object begins: whoever writes it ends it there.
            own.edge = (entry.offset / limits.records + 1) * limits.records;
            open.put(place, own);
            memory += own.open.memory();
        }
        final long before = own.open.memory();
        own.open.add(entry);
        memory += own.open.memory() - before;
        own.next = entry.offset + 1;
        if (own.next >= own.edge || own.open.bytes() >= limits.bytes) {
            end(place);
        }
        while (memory > limits.memory && !open.isEmpty()) {
            relieve();
        }
    }

    /** Makes room: a part of the largest object is sent, or the object ends where it is smaller than a part may be. */
    private void relieve() {
        final Cluster.Place largest = open.entrySet().stream()
            .max(Comparator.comparingLong(one -> one.getValue().open.memory())).orElseThrow().getKey();
        final Segment segment = partitions.get(largest).open;
        final long before = segment.memory();
        if (segment.relieve()) {
            memory += segment.memory() - before;
        } else {
            end(largest);
        }
    }

    /** Ends objects that are open for long enough. */
    void endOld() {
        final long now = clock.getAsLong();
        for (Cluster.Place place : new ArrayList<>(open.keySet())) {
            if (now - open.get(place).open.opened < limits.age) {
                return; // the others are younger
            }
            end(place);
        }
    }

    /** Ends all open objects. */
    void endAll() {
        end(new ArrayList<>(open.keySet()));
    }

    /** Ends the open objects of these partitions. */
    void end(Collection<Cluster.Place> places) {
        for (Cluster.Place place : places) {
            if (open.containsKey(place)) {
                end(place);
            }
        }
    }

    private void end(Cluster.Place place) {
        final Partition own = partitions.get(place);
        final Segment segment = own.open;
        if (segment.records() == 0) {
            throw new IllegalStateException(place + ": an object without records");
        }
        final String note = Layout.note(export, place.topic, own.topicId, place.partition, segment.begin);
        if (store.get(note, Note.LIMIT) != null) {
            throw takenOver(place);
        }
        final long start = segment.hasGaps() ? cluster.starts(List.of(place)).get(place) : 0;
        memory -= segment.memory();
        open.remove(place);
        final Map<String, Object> line = segment.complete(start, own.compacted);
        store.put(note, Chunks.of(new Note(place.topic, own.topicId, place.partition, new TreeMap<>(line)).toBytes()));
        own.open = null;
        own.next = segment.next();
        own.stored = segment.next();
        LOG.debug("{}: {} records", segment.key, segment.records());
    }

    /** Offset from which a partition goes on; null when it is none of this task's. */
    Long next(Cluster.Place place) {
        final Partition own = partitions.get(place);
        return own == null ? null : own.next;
    }

    /** Offset behind all that is in the store, of each partition. */
    Map<Cluster.Place, Long> stored() {
        final Map<Cluster.Place, Long> found = new HashMap<>();
        partitions.forEach((place, own) -> found.put(place, own.stored));
        return found;
    }

    /** Lets partitions go, with what is open of them: it is written by whom they go to. */
    void drop(Collection<Cluster.Place> places) {
        for (Cluster.Place place : places) {
            final Partition own = partitions.remove(place);
            open.remove(place);
            if (own != null && own.open != null) {
                memory -= own.open.memory();
                own.open.abort();
            }
        }
    }

    /** Heap that open objects take. */
    long memory() {
        return memory;
    }

    int openObjects() {
        return open.size();
    }

    @Override
    public void close() {
        drop(new ArrayList<>(partitions.keySet()));
        packer.close();
    }
}

package kafkaferry.connect.s3;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/** An object of the sink while it is written: its records, and all that a manifest says of them. */
final class Segment {
    /** Runs of missing offsets that are named; a topic with one record per transaction has as many as records. */
    static final int GAPS_NAMED = 20;

    private static final int RECORD_OVERHEAD = 32;

    final String key;
    final long begin;
    /** By the clock of the caller, in ms. */
    final long opened;

    private final ObjectSink sink;
    private final RecordWriter writer;
    private final Fingerprint fingerprint = new Fingerprint();
    private final List<long[]> gaps = new ArrayList<>();
    private long next;
    private long missing;
    private long bytes;
    private long earliest = Long.MAX_VALUE;
    private long latest = Long.MIN_VALUE;

    Segment(Store store, Format format, Packer packer, String export, String topic, String topicId, int partition, long begin,
            int partSize, long now) {
        this.key = Layout.segment(export, topic, topicId, partition, begin, format);
        this.begin = begin;
        this.next = begin;
        this.opened = now;
        this.sink = new ObjectSink(store, key, partSize);
        final Map<String, Object> about = new TreeMap<>();
        about.put("topic", topic);
        about.put("topic_id", topicId);
        about.put("partition", (long) partition);
        about.put("begin", begin);
        try {
            writer = format.writer(sink, packer, topic, partition, about);
        } catch (IOException error) {
            throw new UncheckedIOException(error); // into memory, or a ConnectException
        }
    }

    /** Takes the next record; offsets between the last one and it hold none. */
    void add(Entry entry) {
        skipTo(entry.offset);
        next = entry.offset + 1;
        earliest = Math.min(earliest, entry.timestamp);
        latest = Math.max(latest, entry.timestamp);
        fingerprint.add(entry);
        bytes += entry.bytes() + RECORD_OVERHEAD;
        for (int at = 0; at < entry.headerNames.size(); at++) {
            final byte[] content = entry.headerValues.get(at);
            bytes += entry.headerNames.get(at).length() + (content == null ? 0 : content.length);
        }
        try {
            writer.add(entry);
        } catch (IOException error) {
            throw new UncheckedIOException(error);
        }
    }

    /** Offsets up to this one hold no record. */
    void skipTo(long offset) {
        if (offset > next) {
            missing += offset - next;
            if (gaps.size() < GAPS_NAMED) {
                gaps.add(new long[] {next, offset});
            }
            next = offset;
        }
    }

    /** Bytes of its records, before they are packed. */
    long bytes() {
        return bytes;
    }

    long records() {
        return fingerprint.count();
    }

    /** Offset behind its last record. */
    long next() {
        return next;
    }

    boolean hasGaps() {
        return missing > 0;
    }

    long memory() {
        return sink.memory() + writer.waiting();
    }

    boolean relieve() {
        return sink.relieve();
    }

    /**
     * Makes the object; what a manifest says of it.
     *
     * @param start the log's first offset now: what is missing before it was deleted
     * @param compacted says why other offsets are missing
     */
    Map<String, Object> complete(long start, boolean compacted) {
        try {
            writer.finish();
        } catch (IOException error) {
            throw new UncheckedIOException(error);
        }
        final long size = sink.size();
        final String sha256 = sink.complete();
        final Map<String, Object> found = new TreeMap<>();
        found.put("begin", begin);
        found.put("end", next);
        found.put("key", key);
        found.put("records", fingerprint.count());
        found.put("bytes", fingerprint.bytes());
        found.put("size", size);
        found.put("sha256", sha256);
        found.put("min_timestamp", earliest);
        found.put("max_timestamp", latest);
        found.put("fingerprint", fingerprint.toJson());
        found.put("missing", missing);
        final List<Object> named = new ArrayList<>();
        for (long[] gap : gaps) {
            named.add(gap(gap[0], gap[1], gap[0] < start ? "retention" : compacted ? "compaction" : "transaction"));
        }
        found.put("gaps", named);
        return found;
    }

    static Map<String, Object> gap(long begin, long end, String reason) {
        final Map<String, Object> found = new TreeMap<>();
        found.put("begin", begin);
        found.put("end", end);
        found.put("reason", reason);
        return found;
    }

    void abort() {
        sink.abort();
    }
}

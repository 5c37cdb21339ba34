package kafkaferry.connect.s3;

import java.util.Map;
import java.util.TreeMap;

/** What records/fingerprint.py says of a partition's records: equal for equal records in the same order. */
final class Fingerprint {
    static final String VERSION = "xxh64-v1";

    private final Xxh64 ordered = new Xxh64();
    private long count;
    private long bytes;
    private long sum;
    private long first;
    private long last;

    void add(Entry entry) {
        final long hash = entry.hash();
        first = count == 0 ? hash : first;
        last = hash;
        sum += hash;
        ordered.add(hash);
        bytes += entry.bytes();
        count++;
    }

    long count() {
        return count;
    }

    long bytes() {
        return bytes;
    }

    /** As manifests have it. */
    Map<String, Object> toJson() {
        final Map<String, Object> json = new TreeMap<>();
        json.put("count", count);
        json.put("bytes", bytes);
        json.put("sum", hex(sum));
        json.put("ordered", hex(ordered.digest()));
        json.put("first", count == 0 ? null : hex(first));
        json.put("last", count == 0 ? null : hex(last));
        json.put("hash_version", VERSION);
        return json;
    }

    static String hex(long number) {
        return String.format("%016x", number);
    }
}

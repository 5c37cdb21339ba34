package kafkaferry.connect.s3;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;

/** One record as an object has it; null is not empty, and headers keep their order and repetitions. */
final class Entry {
    static final String[] TIMESTAMP_TYPES = {"NoTimestampType", "CreateTime", "LogAppendTime"};
    /** As Kafka stores it for a record without a time. */
    static final long NO_TIMESTAMP = -1;

    private static final byte[] EMPTY = {};

    final long offset;
    final long timestamp;
    final int timestampType;
    final byte[] key;
    final byte[] value;
    final List<String> headerNames = new ArrayList<>(0);
    final List<byte[]> headerValues = new ArrayList<>(0);

    /** @param timestampType place in {@link #TIMESTAMP_TYPES} */
    Entry(long offset, long timestamp, int timestampType, byte[] key, byte[] value) {
        this.offset = offset;
        this.timestamp = timestamp;
        this.timestampType = timestampType;
        this.key = key;
        this.value = value;
    }

    void header(String name, byte[] content) {
        headerNames.add(name);
        headerValues.add(content);
    }

    /** Key and value bytes. */
    int bytes() {
        return (key == null ? 0 : key.length) + (value == null ? 0 : value.length);
    }

    /** The hash xxh64-v1, which Kafka Ferry proves copies by (docs/verification.md, records/record_hash.py). */
    long hash() {
        final byte[] headers = headerBytes();
        final long first = Xxh64.of(headers, timestamp);
        final long second = key == null ? Xxh64.of(EMPTY, ~first) : Xxh64.of(key, first);
        return value == null ? Xxh64.of(EMPTY, ~second) : Xxh64.of(value, second);
    }

    /** Headers as record format v2 has them. */
    private byte[] headerBytes() {
        final Bytes found = new Bytes(headerNames.isEmpty() ? 1 : 64);
        found.varint(headerNames.size());
        for (int at = 0; at < headerNames.size(); at++) {
            final byte[] name = headerNames.get(at).getBytes(StandardCharsets.UTF_8);
            found.varint(name.length);
            found.write(name, 0, name.length);
            final byte[] content = headerValues.get(at);
            found.varint(content == null ? -1 : content.length);
            if (content != null) {
                found.write(content, 0, content.length);
            }
        }
        return found.toByteArray();
    }
}

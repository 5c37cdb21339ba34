package kafkaferry.connect.s3;

import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import java.util.TreeMap;

/** Writes records as an Avro object container file, deflated, as Kafka Ferry's exports have it (jobs/backup/rules/avro.py). */
final class AvroWriter implements RecordWriter {
    static final byte[] MAGIC = {'O', 'b', 'j', 1};
    /** Not random: the same records make the same bytes. */
    static final byte[] MARKER = "kafka-ferry-avro".getBytes(StandardCharsets.US_ASCII);
    static final String ABOUT = "kafka_ferry";
    static final String SCHEMA = "{\"type\":\"record\",\"name\":\"Record\",\"namespace\":\"kafka_ferry\",\"fields\":["
        + "{\"name\":\"topic\",\"type\":\"string\"},{\"name\":\"partition\",\"type\":\"int\"},"
        + "{\"name\":\"offset\",\"type\":\"long\"},{\"name\":\"timestamp\",\"type\":\"long\"},"
        + "{\"name\":\"timestamp_type\",\"type\":{\"type\":\"enum\",\"name\":\"TimestampType\","
        + "\"symbols\":[\"NoTimestampType\",\"CreateTime\",\"LogAppendTime\"]}},"
        + "{\"name\":\"key\",\"type\":[\"null\",\"bytes\"]},{\"name\":\"value\",\"type\":[\"null\",\"bytes\"]},"
        + "{\"name\":\"headers\",\"type\":{\"type\":\"array\",\"items\":{\"type\":\"record\",\"name\":\"Header\",\"fields\":["
        + "{\"name\":\"key\",\"type\":\"string\"},{\"name\":\"value\",\"type\":[\"null\",\"bytes\"]}]}}}]}";

    /** A block is packed once it has so many bytes: what is held unpacked of each open object. */
    static final int BLOCK_BYTES = 64 * 1024;

    private final OutputStream sink;
    private final Packer packer;
    private final byte[] topic;
    private final int partition;
    private final Bytes block = new Bytes(1024);
    private int count;

    /** @param about what the object is; put into its header, so that it tells without a manifest */
    AvroWriter(OutputStream sink, Packer packer, String topic, int partition, Map<String, Object> about) throws IOException {
        this.sink = sink;
        this.packer = packer;
        this.topic = topic.getBytes(StandardCharsets.UTF_8);
        this.partition = partition;
        final Map<String, byte[]> metadata = new TreeMap<>();
        metadata.put("avro.schema", SCHEMA.getBytes(StandardCharsets.UTF_8));
        metadata.put("avro.codec", "deflate".getBytes(StandardCharsets.UTF_8));
        metadata.put(ABOUT, Json.canonical(about));
        final Bytes head = new Bytes(1024);
        head.write(MAGIC, 0, MAGIC.length);
        head.varint(metadata.size());
        metadata.forEach((name, content) -> {
            head.text(name);
            head.sized(content);
        });
        head.varint(0);
        head.write(MARKER, 0, MARKER.length);
        head.writeTo(sink);
    }

    @Override
    public void add(Entry entry) throws IOException {
        block.sized(topic);
        block.varint(partition);
        block.varint(entry.offset);
        block.varint(entry.timestamp);
        block.varint(entry.timestampType);
        bytes(entry.key);
        bytes(entry.value);
        final int headers = entry.headerNames.size();
        if (headers > 0) {
            block.varint(headers);
            for (int at = 0; at < headers; at++) {
                block.text(entry.headerNames.get(at));
                bytes(entry.headerValues.get(at));
            }
        }
        block.varint(0);
        count++;
        if (block.size() >= BLOCK_BYTES) {
            flush();
        }
    }

    private void bytes(byte[] content) {
        block.varint(content == null ? 0 : 1); // place in the union
        if (content != null) {
            block.sized(content);
        }
    }

    @Override
    public long waiting() {
        return block.size();
    }

    @Override
    public void finish() throws IOException {
        flush();
    }

    private void flush() throws IOException {
        if (count == 0) {
            return;
        }
        final Bytes packed = packer.whole(block);
        final Bytes edges = new Bytes(20);
        edges.varint(count);
        edges.varint(packed.size());
        edges.writeTo(sink);
        packed.writeTo(sink);
        sink.write(MARKER);
        block.reset();
        count = 0;
    }
}

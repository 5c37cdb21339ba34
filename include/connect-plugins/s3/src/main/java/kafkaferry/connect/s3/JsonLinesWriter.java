package kafkaferry.connect.s3;

import com.fasterxml.jackson.core.JsonGenerator;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.Base64;
import java.util.zip.CRC32;

/** Writes records as JSON lines, gzipped, as Kafka Ferry's exports have them (jobs/backup/rules/json_lines.py). */
final class JsonLinesWriter implements RecordWriter {
    /** No name, no time: the same records make the same bytes. */
    private static final byte[] HEAD = {31, (byte) 139, 8, 0, 0, 0, 0, 0, 4, (byte) 255};
    /** An empty last block of a deflated stream. */
    private static final byte[] LAST = {3, 0};

    private final OutputStream sink;
    private final Packer packer;
    private final String topic;
    private final int partition;
    private final Bytes block = new Bytes(1024);
    private final JsonGenerator json;
    private final CRC32 checksum = new CRC32();
    private long size;

    JsonLinesWriter(OutputStream sink, Packer packer, String topic, int partition) throws IOException {
        this.sink = sink;
        this.packer = packer;
        this.topic = topic;
        this.partition = partition;
        this.json = Json.generator(block);
        sink.write(HEAD);
    }

    @Override
    public void add(Entry entry) throws IOException {
        json.writeStartObject();
        json.writeStringField("topic", topic);
        json.writeNumberField("partition", partition);
        json.writeNumberField("offset", entry.offset);
        json.writeNumberField("timestamp", entry.timestamp);
        json.writeStringField("timestamp_type", Entry.TIMESTAMP_TYPES[entry.timestampType]);
        bytes("key", "key_encoding", entry.key);
        bytes("value", "value_encoding", entry.value);
        json.writeArrayFieldStart("headers");
        for (int at = 0; at < entry.headerNames.size(); at++) {
            json.writeStartObject();
            json.writeStringField("key", entry.headerNames.get(at));
            bytes("value", "encoding", entry.headerValues.get(at));
            json.writeEndObject();
        }
        json.writeEndArray();
        json.writeEndObject();
        json.writeRaw('\n');
        json.flush();
        if (block.size() >= AvroWriter.BLOCK_BYTES) {
            flush();
        }
    }

    /** Text where it is UTF-8 and has no NUL, which databases do not take; else base64. */
    private void bytes(String name, String encoding, byte[] content) throws IOException {
        String text = null;
        if (content != null) {
            text = text(content);
            json.writeStringField(name, text == null ? Base64.getEncoder().encodeToString(content) : text);
            json.writeStringField(encoding, text == null ? "base64" : "utf8");
        } else {
            json.writeNullField(name);
            json.writeNullField(encoding);
        }
    }

    private static String text(byte[] content) {
        for (byte one : content) {
            if (one == 0) {
                return null;
            }
        }
        try {
            return StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(content)).toString();
        } catch (CharacterCodingException error) {
            return null;
        }
    }

    @Override
    public long waiting() {
        return block.size();
    }

    private void flush() throws IOException {
        checksum.update(block.array(), 0, block.size());
        size += block.size();
        packer.part(block).writeTo(sink);
        block.reset();
    }

    @Override
    public void finish() throws IOException {
        if (block.size() > 0) {
            flush();
        }
        sink.write(LAST);
        final Bytes end = new Bytes(8);
        end.little((int) checksum.getValue());
        end.little((int) size); // modulo 2^32
        end.writeTo(sink);
    }
}

package kafkaferry.connect.s3;

import java.io.BufferedInputStream;
import java.io.DataInputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.zip.DataFormatException;
import java.util.zip.Inflater;

/** Reads what {@link AvroWriter} and Kafka Ferry's exports write. An object may come from somebody who wants its reader to fail. */
final class AvroReader implements RecordReader {
    /** What one block may become: ours are about a megabyte, or one large record. */
    static final int BLOCK_LIMIT = 256 * 1024 * 1024;

    private static final int HEAD_LIMIT = 1024 * 1024;
    private static final int RECORD_BYTES = 8; // one for each field, at the least

    private final String what;
    private final String topic;
    private final int partition;
    private final DataInputStream input;
    private final byte[] marker = new byte[16];
    private final boolean deflated;
    private final boolean unionNames;
    private final Inflater inflater = new Inflater(true);
    private byte[] block = {};
    private int at;
    private int end;
    private long left;

    /** @param what the object, for messages. @param topic of which it must be. @param partition alike */
    AvroReader(InputStream stream, String what, String topic, int partition) throws IOException {
        this.what = what;
        this.topic = topic;
        this.partition = partition;
        this.input = new DataInputStream(new BufferedInputStream(stream, 64 * 1024));
        final byte[] magic = new byte[4];
        input.readFully(magic);
        check(Arrays.equals(magic, AvroWriter.MAGIC), "it is no Avro object container file");
        final Map<String, byte[]> about = new HashMap<>();
        for (long count = number(); count != 0; count = number()) {
            if (count < 0) {
                number(); // its size in bytes
            }
            check(Math.abs(count) < 1000, "its header has too many entries");
            for (long one = Math.abs(count); one > 0; one--) {
                final String name = new String(sized(HEAD_LIMIT), StandardCharsets.UTF_8);
                about.put(name, sized(HEAD_LIMIT));
            }
        }
        input.readFully(marker);
        final byte[] codec = about.getOrDefault("avro.codec", "null".getBytes(StandardCharsets.UTF_8));
        deflated = Arrays.equals(codec, "deflate".getBytes(StandardCharsets.UTF_8));
        check(deflated || Arrays.equals(codec, "null".getBytes(StandardCharsets.UTF_8)), "its codec is neither deflate nor null");
        unionNames = schemaHasUnionNames(about.get("avro.schema"));
        checkAbout(about.get(AvroWriter.ABOUT));
    }

    /** Whether names of headers are of the union string, bytes. */
    private boolean schemaHasUnionNames(byte[] schema) throws IOException {
        check(schema != null, "it has no schema");
        final Object found = plain(Json.parse(schema));
        final Object ours = plain(Json.parse(AvroWriter.SCHEMA.getBytes(StandardCharsets.UTF_8)));
        if (found.equals(ours)) {
            return false;
        }
        final String other = AvroWriter.SCHEMA.replace("\"Header\",\"fields\":[{\"name\":\"key\",\"type\":\"string\"}",
            "\"Header\",\"fields\":[{\"name\":\"key\",\"type\":[\"string\",\"bytes\"]}");
        check(found.equals(plain(Json.parse(other.getBytes(StandardCharsets.UTF_8)))), "its schema is not that of Kafka Ferry's exports");
        return true;
    }

    /** A schema without what tells nothing of the bytes: full names, and marks of the library that wrote it. */
    private static Object plain(Object schema) {
        if (schema instanceof Map) {
            final Map<String, Object> found = new HashMap<>();
            ((Map<?, ?>) schema).forEach((key, value) -> {
                final String name = (String) key;
                if (!name.startsWith("__") && !name.equals("namespace") && !name.equals("doc")) {
                    final boolean named = name.equals("name") && value instanceof String;
                    found.put(name, named ? ((String) value).substring(((String) value).lastIndexOf('.') + 1) : plain(value));
                }
            });
            return found;
        }
        if (schema instanceof List) {
            final Object[] found = ((List<?>) schema).stream().map(AvroReader::plain).toArray();
            return Arrays.asList(found);
        }
        return schema;
    }

    private void checkAbout(byte[] about) throws IOException {
        check(about != null, "it carries no description of Kafka Ferry");
        final Object found = Json.parse(about);
        check(found instanceof Map && topic.equals(((Map<?, ?>) found).get("topic"))
            && Long.valueOf(partition).equals(((Map<?, ?>) found).get("partition")), "it is the object of another partition");
    }

    @Override
    public Entry next() throws IOException {
        try {
            while (left == 0) {
                if (!nextBlock()) {
                    return null;
                }
            }
            final Entry entry = entry();
            left--;
            check(left > 0 || at == end, "a block has more bytes than its records");
            return entry;
        } catch (EOFException | IndexOutOfBoundsException | NegativeArraySizeException error) {
            throw new DamagedObject(what, "it is cut", error);
        }
    }

    private boolean nextBlock() throws IOException {
        input.mark(1);
        if (input.read() < 0) {
            return false;
        }
        input.reset();
        left = number();
        final byte[] stored = sized(BLOCK_LIMIT);
        final byte[] behind = new byte[marker.length];
        input.readFully(behind);
        check(Arrays.equals(behind, marker), "a block does not end where it says");
        block = deflated ? inflated(stored) : stored;
        end = deflated ? end : stored.length;
        at = 0;
        check(left > 0 && left <= end / RECORD_BYTES, "a block of " + end + " bytes says it has " + left + " records");
        return true;
    }

    private byte[] inflated(byte[] stored) {
        byte[] found = new byte[Math.min(BLOCK_LIMIT, Math.max(1024, stored.length * 4))];
        inflater.reset();
        inflater.setInput(stored);
        int size = 0;
        try {
            while (!inflater.finished()) {
                if (size == found.length) {
                    check(size < BLOCK_LIMIT, "a block would unpack to more than " + BLOCK_LIMIT + " bytes");
                    found = Arrays.copyOf(found, (int) Math.min(BLOCK_LIMIT, found.length * 2L));
                }
                final int more = inflater.inflate(found, size, found.length - size);
                check(more > 0 || inflater.finished() || !inflater.needsInput(), "a block is cut");
                check(!inflater.needsDictionary(), "a block cannot be unpacked");
                size += more;
            }
        } catch (DataFormatException error) {
            throw new DamagedObject(what, "a block cannot be unpacked: " + error.getMessage(), error);
        }
        end = size;
        return found;
    }

    private Entry entry() {
        check(topic.equals(text()) && partition == varint(), "a record is of another partition");
        final long offset = varint();
        final long timestamp = varint();
        final long type = varint();
        check(type >= 0 && type < Entry.TIMESTAMP_TYPES.length, "a timestamp's type is " + type);
        final Entry found = new Entry(offset, timestamp, (int) type, optional(), optional());
        for (long count = varint(); count != 0; count = varint()) {
            if (count < 0) {
                varint(); // its size in bytes
            }
            for (long one = Math.abs(count); one > 0; one--) {
                if (unionNames && varint() == 1) {
                    throw new DamagedObject(what, "the record at offset " + offset + " has a header whose name is not UTF-8, which "
                        + "Kafka Connect cannot carry. Fix: import it with the DAG import_topics_from_s3");
                }
                found.header(text(), optional());
            }
        }
        return found;
    }

    private String text() {
        final byte[] raw = bytes();
        try {
            return StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(raw)).toString();
        } catch (CharacterCodingException error) {
            throw new DamagedObject(what, "text that is not UTF-8", error);
        }
    }

    private byte[] optional() {
        final long kind = varint();
        check(kind == 0 || kind == 1, "a union has no type " + kind);
        return kind == 0 ? null : bytes();
    }

    private byte[] bytes() {
        final long size = varint();
        check(size >= 0 && size <= end - at, "a field of " + size + " bytes");
        at += (int) size;
        return Arrays.copyOfRange(block, at - (int) size, at);
    }

    private long varint() {
        long found = 0;
        for (int shift = 0; shift < 64; shift += 7) {
            if (at >= end) {
                throw new IndexOutOfBoundsException();
            }
            final byte one = block[at++];
            found |= (one & 127L) << shift;
            if (one >= 0) {
                return found >>> 1 ^ -(found & 1);
            }
        }
        throw new DamagedObject(what, "a number of more than 64 bits");
    }

    /** The same from the file. */
    private long number() throws IOException {
        long found = 0;
        for (int shift = 0; shift < 64; shift += 7) {
            final byte one = input.readByte();
            found |= (one & 127L) << shift;
            if (one >= 0) {
                return found >>> 1 ^ -(found & 1);
            }
        }
        throw new DamagedObject(what, "a number of more than 64 bits");
    }

    private byte[] sized(int limit) throws IOException {
        final long size = number();
        check(size >= 0 && size <= limit, "a part of " + size + " bytes");
        final byte[] found = input.readNBytes((int) size); // grows with what is there, whatever the size says
        if (found.length < size) {
            throw new EOFException();
        }
        return found;
    }

    private void check(boolean good, String problem) {
        if (!good) {
            throw new DamagedObject(what, problem);
        }
    }

    @Override
    public void close() throws IOException {
        inflater.end();
        input.close();
    }
}

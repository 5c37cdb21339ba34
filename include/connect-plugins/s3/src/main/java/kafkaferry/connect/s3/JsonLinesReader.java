package kafkaferry.connect.s3;

import com.fasterxml.jackson.core.JsonProcessingException;
import java.io.BufferedInputStream;
import java.io.ByteArrayOutputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.zip.GZIPInputStream;
import java.util.zip.ZipException;

/** Reads the JSON lines of Kafka Ferry's exports (jobs/backup/rules/json_lines.py). */
final class JsonLinesReader implements RecordReader {
    private static final int LINE_LIMIT = 256 * 1024 * 1024;

    private final String what;
    private final String topic;
    private final int partition;
    private final InputStream input;

    JsonLinesReader(InputStream stream, String what, String topic, int partition) throws IOException {
        this.what = what;
        this.topic = topic;
        this.partition = partition;
        this.input = new BufferedInputStream(new GZIPInputStream(stream, 64 * 1024), 64 * 1024);
    }

    @Override
    public Entry next() throws IOException {
        try {
            final byte[] line = line();
            return line.length == 0 ? null : entry(Json.parse(line));
        } catch (EOFException | ZipException | JsonProcessingException error) {
            throw new DamagedObject(what, "it cannot be read as JSON lines: " + error.getMessage(), error);
        } catch (ClassCastException | NullPointerException | IllegalArgumentException error) {
            throw new DamagedObject(what, "a line of it is no record", error);
        }
    }

    /** Empty behind the last one. */
    private byte[] line() throws IOException {
        final ByteArrayOutputStream found = new ByteArrayOutputStream(1024);
        for (int one = input.read(); one >= 0 && one != '\n'; one = input.read()) {
            if (found.size() == LINE_LIMIT) {
                throw new DamagedObject(what, "a line of it has more than " + LINE_LIMIT + " bytes");
            }
            found.write(one);
        }
        return found.toByteArray();
    }

    private Entry entry(Object json) {
        final Map<?, ?> line = (Map<?, ?>) json;
        if (!topic.equals(line.get("topic")) || !Long.valueOf(partition).equals(line.get("partition"))) {
            throw new DamagedObject(what, "a record is of another partition");
        }
        final int type = Arrays.asList(Entry.TIMESTAMP_TYPES).indexOf(line.get("timestamp_type"));
        if (type < 0) {
            throw new DamagedObject(what, "a timestamp's type is " + line.get("timestamp_type"));
        }
        final long offset = (Long) line.get("offset");
        final Entry found = new Entry(offset, (Long) line.get("timestamp"), type,
            bytes(line.get("key"), line.get("key_encoding")), bytes(line.get("value"), line.get("value_encoding")));
        for (Object one : (List<?>) line.get("headers")) {
            final Map<?, ?> header = (Map<?, ?>) one;
            if (header.get("key_encoding") != null) {
                throw new DamagedObject(what, "the record at offset " + offset + " has a header whose name is not UTF-8, which "
                    + "Kafka Connect cannot carry. Fix: import it with the DAG import_topics_from_s3");
            }
            found.header((String) header.get("key"), bytes(header.get("value"), header.get("encoding")));
        }
        return found;
    }

    private static byte[] bytes(Object text, Object encoding) {
        if (text == null) {
            return null;
        }
        return "base64".equals(encoding) ? Base64.getDecoder().decode((String) text) : ((String) text).getBytes(StandardCharsets.UTF_8);
    }

    @Override
    public void close() throws IOException {
        input.close();
    }
}

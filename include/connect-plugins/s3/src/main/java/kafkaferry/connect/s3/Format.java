package kafkaferry.connect.s3;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import org.apache.kafka.connect.errors.ConnectException;

/** How objects are written: the formats of Kafka Ferry's exports (jobs/backup/rules/layout.py). An object's key tells its own. */
enum Format {
    AVRO("avro", ".avro"),
    JSON_LINES("jsonl", ".jsonl.gz"),
    PARQUET("parquet", ".parquet");

    /** As a setting. */
    final String text;
    /** What keys end with. */
    final String ending;

    Format(String text, String ending) {
        this.text = text;
        this.ending = ending;
    }

    /** @throws IllegalArgumentException there is none of this name */
    static Format of(String text) {
        for (Format one : values()) {
            if (one.text.equals(text)) {
                return one;
            }
        }
        throw new IllegalArgumentException(text);
    }

    /** The format of an object; null when its key ends in another way. */
    static Format ofKey(String key) {
        for (Format one : values()) {
            if (key.endsWith(one.ending)) {
                return one;
            }
        }
        return null;
    }

    /** @param about what the object is, for formats that have a place for it */
    RecordWriter writer(OutputStream sink, Packer packer, String topic, int partition, Map<String, Object> about) throws IOException {
        switch (this) {
            case JSON_LINES:
                return new JsonLinesWriter(sink, packer, topic, partition);
            case PARQUET:
                return new ParquetObjectWriter(sink, partition, about);
            default:
                return new AvroWriter(sink, packer, topic, partition, about);
        }
    }

    /**
     * Reads an object.
     *
     * @param key for messages
     * @param file with its bytes
     * @throws DamagedObject it is not what was written
     */
    static RecordReader reader(String key, Path file, String topic, int partition) throws IOException {
        final Format format = ofKey(key);
        if (format == null) {
            throw new ConnectException(key + ": its format is none that Kafka Ferry writes");
        }
        if (format == PARQUET) {
            return new ParquetObjectReader(file, key, topic, partition);
        }
        final InputStream stream = Files.newInputStream(file);
        try {
            return format == AVRO ? new AvroReader(stream, key, topic, partition) : new JsonLinesReader(stream, key, topic, partition);
        } catch (IOException | RuntimeException error) {
            stream.close();
            throw error;
        }
    }
}

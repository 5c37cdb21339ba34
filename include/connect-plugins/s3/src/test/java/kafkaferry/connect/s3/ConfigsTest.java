package kafkaferry.connect.s3;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.ByteBuffer;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import org.apache.kafka.common.config.ConfigValue;
import org.apache.kafka.common.record.TimestampType;
import org.apache.kafka.connect.connector.Connector;
import org.apache.kafka.connect.data.Schema;
import org.apache.kafka.connect.errors.DataException;
import org.apache.kafka.connect.sink.SinkRecord;
import org.junit.jupiter.api.Test;

class ConfigsTest {
    private static final String BYTES = "org.apache.kafka.connect.converters.ByteArrayConverter";
    private static final Map<String, String> COMMON = Map.of("name", "orders", "s3.bucket.name", "b", "key.converter", BYTES,
        "value.converter", BYTES, "header.converter", BYTES);

    private static Map<String, String> errors(Connector connector, Map<String, String> changes) {
        final Map<String, String> given = new HashMap<>(COMMON);
        given.put("kafka.bootstrap.servers", "h:1");
        changes.forEach((key, value) -> {
            if (value.equals("-")) {
                given.remove(key);
            } else {
                given.put(key, value);
            }
        });
        final Map<String, String> found = new HashMap<>();
        for (ConfigValue value : connector.validate(given).configValues()) {
            if (!value.errorMessages().isEmpty()) {
                found.put(value.name(), String.join("; ", value.errorMessages()));
            }
        }
        return found;
    }

    private static void refused(Connector connector, String name, String value, String words) {
        final Map<String, String> found = errors(connector, Map.of(name, value));
        assertEquals(Set.of(name), found.keySet(), found.toString());
        assertTrue(found.get(name).contains(words), found.get(name));
    }

    @Test
    void aSinkSaysWhatIsWrong() {
        final Connector sink = new S3SegmentSinkConnector();
        assertEquals(Map.of(), errors(sink, Map.of()));
        refused(sink, "s3.bucket.name", "-", "s3.bucket.name");
        refused(sink, "kafka.bootstrap.servers", "-", "kafka.bootstrap.servers");
        refused(sink, "header.converter", "-", "header.converter");
        refused(sink, "value.converter", "org.apache.kafka.connect.json.JsonConverter", "ByteArrayConverter");
        refused(sink, "transforms", "rename", "Rename topics in the source");
        refused(sink, "s3.part.size", "1000", "at least 5242880");
        refused(sink, "flush.size", "0", "at least 1");
        refused(sink, "s3.prefix", "a/../b", "path without empty parts");
        refused(sink, "store.url", "localhost:9000", "URL");
        refused(sink, "export.name", "a/b", "letters, digits");
        refused(sink, "consumer.override.isolation.level", "serializable", "read_committed");
        assertEquals(Set.of("aws.secret.access.key"), errors(sink, Map.of("aws.access.key.id", "k")).keySet());
        assertEquals(Set.of("export.name"), errors(sink, Map.of("name", "orders and more")).keySet());
        assertEquals(Map.of(), errors(sink, Map.of("name", "orders and more", "export.name", "orders")));
    }

    @Test
    void aSourceSaysWhatIsWrong() {
        final Connector source = new S3SegmentSourceConnector();
        assertEquals(Map.of(), errors(source, Map.of("topics.rename", "a:b, c:d", "topics.rename.regex", "x-(.*)",
            "topics.rename.replacement", "y-$1")));
        refused(source, "topics.rename", "a=b", "old:new");
        refused(source, "topics.rename", "a:b,a:c", "old:new");
        refused(source, "topics.regex", "(", "regular expression");
        assertEquals(Set.of("topics.rename.replacement"), errors(source, Map.of("topics.rename.regex", "a.*")).keySet());
        assertEquals(Set.of("topics.regex"), errors(source, Map.of("topics", "a", "topics.regex", "b")).keySet());
    }

    @Test
    void namesOnTheTarget() {
        final Map<String, String> given = new HashMap<>(COMMON);
        given.put("topics.regex", "source-.*");
        given.put("topics.rename", "source-1:first");
        given.put("topics.rename.regex", "source-(.*)");
        given.put("topics.rename.replacement", "sink-$1");
        final SourceConfig config = new SourceConfig(given);
        assertTrue(config.wants("source-1"));
        assertFalse(config.wants("a-source-1"));
        assertEquals("first", config.renamed("source-1"));
        assertEquals("sink-2", config.renamed("source-2"));
        assertEquals("a-source-2", config.renamed("a-source-2"), "a name must match as a whole");
    }

    @Test
    void eachPartitionIsOfOneTask() {
        final S3SegmentSourceConnector connector = new S3SegmentSourceConnector();
        connector.start(COMMON);
        final Set<Integer> seen = new HashSet<>();
        for (Map<String, String> task : connector.taskConfigs(3)) {
            final SourceConfig config = new SourceConfig(task);
            for (int partition = 0; partition < 9; partition++) {
                assertTrue(!config.isMine("t", partition) || seen.add(partition));
            }
        }
        assertEquals(9, seen.size());
    }

    private static SinkRecord record(Object key, Object value) {
        return new SinkRecord("t", 1, Schema.OPTIONAL_BYTES_SCHEMA, key, Schema.OPTIONAL_BYTES_SCHEMA, value, 5, null,
            TimestampType.NO_TIMESTAMP_TYPE);
    }

    @Test
    void whatIsNotBytesIsNoRecord() {
        final SinkRecord good = record(null, ByteBuffer.wrap(new byte[] {1, 2}));
        good.headers().add("h", null, Schema.OPTIONAL_BYTES_SCHEMA);
        final Entry entry = S3SegmentSinkTask.entry(good);
        assertEquals(2, entry.bytes());
        assertEquals(-1, entry.timestamp);
        assertEquals(0, entry.timestampType);
        assertThrows(DataException.class, () -> S3SegmentSinkTask.entry(record("text", null)));
        final SinkRecord text = record(null, null);
        text.headers().addString("h", "v");
        final DataException error = assertThrows(DataException.class, () -> S3SegmentSinkTask.entry(text));
        assertTrue(error.getMessage().contains("header.converter"), error.getMessage());
        final SinkRecord lost = record(null, null);
        lost.headers().addBytes("\uFFFD", null);
        assertThrows(DataException.class, () -> S3SegmentSinkTask.entry(lost));
    }

    @Test
    void topicsAsKafkaConnectChoosesThem() {
        assertTrue(S3SegmentSinkTask.wanted(Map.of("topics", "a, b")).test("b"));
        assertFalse(S3SegmentSinkTask.wanted(Map.of("topics", "a, b")).test("c"));
        assertTrue(S3SegmentSinkTask.wanted(Map.of("topics.regex", "a.*")).test("ab"));
        assertFalse(S3SegmentSinkTask.wanted(Map.of("topics.regex", "a.*")).test("ba"));
    }
}

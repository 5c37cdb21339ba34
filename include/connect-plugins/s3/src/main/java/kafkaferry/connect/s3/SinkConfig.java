package kafkaferry.connect.s3;

import java.util.Map;
import java.util.Properties;
import org.apache.kafka.common.config.ConfigDef;
import org.apache.kafka.common.config.ConfigDef.Importance;
import org.apache.kafka.common.config.ConfigDef.Type;

/** What a sink is told. */
final class SinkConfig extends Config {
    static final String FORMAT = "format";
    static final String FLUSH_SIZE = "flush.size";
    static final String FLUSH_BYTES = "flush.bytes";
    static final String ROTATE = "rotate.schedule.interval.ms";
    static final String FLUSH_ON_COMMIT = "flush.on.commit";
    static final String PART_SIZE = "s3.part.size";
    static final String MEMORY = "buffer.memory";
    static final String OPEN_FILES = "max.open.files";
    static final String MANIFEST = "manifest.interval.ms";
    static final String KAFKA = "kafka.";
    static final String BOOTSTRAP = KAFKA + "bootstrap.servers";
    static final String TRANSFORMS = "transforms";
    static final String ISOLATION = "consumer.override.isolation.level";
    /** Of the connector's tasks this one writes the manifests. */
    static final String TASK = "task.number";

    SinkConfig(Map<String, String> settings) {
        super(definition(), settings);
    }

    static ConfigDef definition() {
        return common()
            .define(BOOTSTRAP, Type.STRING, ConfigDef.NO_DEFAULT_VALUE, new ConfigDef.NonEmptyString(), Importance.HIGH,
                "The cluster that is read: Kafka Connect does not tell a connector topic ids, partitions, configs and log starts, "
                    + "which a manifest holds. Further settings of this client begin with " + KAFKA + " as well.")
            .define(FORMAT, Type.STRING, Format.AVRO.text, ConfigDef.ValidString.in(Format.AVRO.text, Format.JSON_LINES.text,
                Format.PARQUET.text), Importance.HIGH, "How objects are written: as exports of Kafka Ferry's DAGs have it.")
            .define(FLUSH_SIZE, Type.INT, 500_000, ConfigDef.Range.between(1, 10_000_000), Importance.HIGH,
                "An object ends at offsets that are a multiple of this.")
            .define(FLUSH_BYTES, Type.LONG, 64L * 1024 * 1024, ConfigDef.Range.between(1024, 512L * 1024 * 1024), Importance.MEDIUM,
                "And when it holds so many bytes of keys, values and headers, before they are packed.")
            .define(ROTATE, Type.LONG, 60_000L, ConfigDef.Range.between(100, 86_400_000), Importance.HIGH,
                "And when it has been open for so long, whether there are new records or not.")
            .define(FLUSH_ON_COMMIT, Type.BOOLEAN, true, Importance.MEDIUM,
                "And whenever the worker commits offsets (offset.flush.interval.ms), which it also does on pause, on stop and before "
                    + "partitions move. false: on pause they end by " + ROTATE + ", on stop at once.")
            .define(PART_SIZE, Type.INT, SMALLEST_PART, ConfigDef.Range.between(SMALLEST_PART, 512 * 1024 * 1024), Importance.MEDIUM,
                "Bytes that are collected for one part of an object.")
            .define(MEMORY, Type.LONG, 32L * 1024 * 1024, ConfigDef.Range.between(1024 * 1024, 1L << 40), Importance.MEDIUM,
                "Heap that a task takes for all objects that are open. Beyond it the largest goes on to S3.")
            .define(OPEN_FILES, Type.INT, 200, ConfigDef.Range.between(1, 100_000), Importance.LOW,
                "Objects that a task has open at most. Beyond it the oldest ends.")
            .define(MANIFEST, Type.LONG, 60_000L, ConfigDef.Range.between(1000, 86_400_000), Importance.MEDIUM,
                "How often a manifest declares what has come: what is in none is not read by a source or by Kafka Ferry's DAGs.")
            .define(TRANSFORMS, Type.STRING, null, named("left out: a sink keeps records as they are. Rename topics in the source",
                String::isEmpty), Importance.LOW, "Not to be given.")
            .define(ISOLATION, Type.STRING, "read_uncommitted", ConfigDef.ValidString.in("read_committed", "read_uncommitted"),
                Importance.MEDIUM, "read_committed leaves out what was written in transactions that were aborted. The manifest tells it.");
    }

    /** Of the admin client. */
    Properties kafka() {
        final Properties found = new Properties();
        found.putAll(originalsWithPrefix(KAFKA));
        return found;
    }

    int task() {
        return Integer.parseInt(originalsStrings().getOrDefault(TASK, "0"));
    }
}

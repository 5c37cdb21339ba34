package kafkaferry.connect.s3;

import java.nio.ByteBuffer;
import java.time.Instant;
import java.util.Arrays;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Predicate;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.connect.errors.ConnectException;
import org.apache.kafka.connect.errors.DataException;
import org.apache.kafka.connect.header.Header;
import org.apache.kafka.connect.sink.SinkRecord;
import org.apache.kafka.connect.sink.SinkTask;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Hands the worker's records to a {@link SegmentWriter}, and its clock. */
public final class S3SegmentSinkTask extends SinkTask {
    private static final Logger LOG = LoggerFactory.getLogger(S3SegmentSinkTask.class);
    /** How often the clock is looked at while there are no records. */
    private static final long TICK = 500;
    /** Who stands still for so long may have lost its partitions; a session of a consumer is at least as long. */
    private static final long STANDSTILL = 5_000;

    private SinkConfig config;
    private Store store;
    private Cluster cluster;
    private SegmentWriter writer;
    /** Of task 0 only. */
    private ManifestWriter manifests;
    private long declared;
    /** Partitions whose records come from where the worker would have gone on, until it has gone where we said. */
    private final Set<TopicPartition> rewinding = new HashSet<>();
    /** Why it failed; the worker does not fail a task for an error of a commit: the next call does. */
    private ConnectException failure;
    /** When the worker was last here. */
    private long seen;

    @Override
    public String version() {
        return Version.TEXT;
    }

    @Override
    public void start(Map<String, String> settings) {
        config = new SinkConfig(settings);
        store = new S3Store(config);
        cluster = new KafkaCluster(config.kafka(), settings.getOrDefault("name", "s3-sink") + "-" + config.task());
        final SegmentWriter.Limits limits = new SegmentWriter.Limits(config.getInt(SinkConfig.FLUSH_SIZE),
            config.getLong(SinkConfig.FLUSH_BYTES), config.getLong(SinkConfig.ROTATE), config.getInt(SinkConfig.PART_SIZE),
            config.getLong(SinkConfig.MEMORY), config.getInt(SinkConfig.OPEN_FILES));
        writer = new SegmentWriter(store, cluster, config.export(), Format.of(config.getString(SinkConfig.FORMAT)), limits,
            S3SegmentSinkTask::now);
        if (config.task() == 0) {
            manifests = new ManifestWriter(store, cluster, config.export(), config.getString(SinkConfig.ISOLATION), wanted(settings));
        }
        declared = now();
    }

    private static long now() {
        return System.nanoTime() / 1_000_000;
    }

    /** As Kafka Connect chooses topics. */
    static Predicate<String> wanted(Map<String, String> settings) {
        final String regex = settings.getOrDefault("topics.regex", "");
        if (!regex.isEmpty()) {
            final Pattern pattern = Pattern.compile(regex);
            return name -> pattern.matcher(name).matches();
        }
        final Set<String> names = Arrays.stream(settings.getOrDefault("topics", "").split(",")).map(String::trim)
            .collect(Collectors.toSet());
        return names::contains;
    }

    @Override
    public void open(Collection<TopicPartition> places) {
        if (places.isEmpty()) {
            return;
        }
        guarded(() -> writer.begin(places.stream().map(S3SegmentSinkTask::place).collect(Collectors.toList())).forEach((place, offset) -> {
            final TopicPartition at = new TopicPartition(place.topic, place.partition);
            context.offset(at, offset);
            rewinding.add(at);
        }));
    }

    private static Cluster.Place place(TopicPartition at) {
        return new Cluster.Place(at.topic(), at.partition());
    }

    @Override
    public void put(Collection<SinkRecord> records) {
        if (failure != null) {
            throw failure;
        }
        guarded(() -> {
            look();
            for (SinkRecord record : records) {
                final String topic = record.topic();
                final int partition = record.kafkaPartition();
                if (rewinding.isEmpty() || !rewinding.contains(new TopicPartition(topic, partition))) {
                    writer.add(new Cluster.Place(topic, partition), entry(record));
                }
            }
            // Told once more: whether the worker went there before these records or goes there now, the next ones are from there.
            rewinding.forEach(at -> context.offset(at, writer.next(place(at))));
            rewinding.clear();
            writer.endOld();
            declare(config.getLong(SinkConfig.MANIFEST));
        });
        seen = now();
        context.timeout(TICK);
    }

    private void look() {
        if (now() - seen >= STANDSTILL && writer.openObjects() > 0) {
            writer.check();
        }
        seen = now();
    }

    private void declare(long interval) {
        if (manifests != null && now() - declared >= interval) {
            manifests.declare(Instant.now());
            declared = now();
        }
    }

    @Override
    public Map<TopicPartition, OffsetAndMetadata> preCommit(Map<TopicPartition, OffsetAndMetadata> consumed) {
        if (failure == null && config.getBoolean(SinkConfig.FLUSH_ON_COMMIT)) {
            guarded(() -> {
                look();
                writer.endAll();
            });
        }
        final Map<TopicPartition, OffsetAndMetadata> found = new HashMap<>();
        writer.stored().forEach((place, offset) -> {
            final TopicPartition at = new TopicPartition(place.topic, place.partition);
            if (consumed.containsKey(at) && !rewinding.contains(at)) {
                found.put(at, new OffsetAndMetadata(offset));
            }
        });
        return found;
    }

    @Override
    public void close(Collection<TopicPartition> places) {
        final List<Cluster.Place> all = places.stream().map(S3SegmentSinkTask::place).collect(Collectors.toList());
        try {
            // Else the commit just before has ended them; where there was none, the partitions are others' already.
            if (failure == null && !config.getBoolean(SinkConfig.FLUSH_ON_COMMIT)) {
                guarded(() -> {
                    look();
                    writer.end(all);
                });
            }
        } finally {
            writer.drop(all);
            rewinding.removeAll(places);
        }
    }

    @Override
    public void stop() {
        try {
            if (manifests != null && failure == null) {
                declare(0);
            }
        } finally {
            for (AutoCloseable one : new AutoCloseable[] {writer, cluster, store}) {
                try {
                    if (one != null) {
                        one.close();
                    }
                } catch (Exception error) {
                    LOG.warn("closing: {}", error.toString());
                }
            }
        }
    }

    /** An error fails the task; what is called afterwards does not try again, which would take as long once more. */
    private void guarded(Runnable work) {
        try {
            work.run();
        } catch (RuntimeException error) {
            failure = error instanceof ConnectException ? (ConnectException) error : new ConnectException("the sink failed: " + error, error);
            throw failure;
        }
    }

    static Entry entry(SinkRecord record) {
        final Entry found = new Entry(record.kafkaOffset(), record.timestamp() == null ? Entry.NO_TIMESTAMP : record.timestamp(),
            record.timestampType().id + 1, bytes(record, "key", record.key()),
            bytes(record, "value", record.value()));
        for (Header header : record.headers()) {
            if (header.key().indexOf('\uFFFD') >= 0) {
                throw new DataException(at(record) + ": the header name " + header.key() + " is not UTF-8, or has the letter that stands "
                    + "for bytes that are not: Kafka Connect cannot carry it. Fix: use the DAG export_topics_to_s3");
            }
            found.header(header.key(), bytes(record, "header " + header.key(), header.value()));
        }
        return found;
    }

    private static byte[] bytes(SinkRecord record, String what, Object content) {
        if (content == null || content instanceof byte[]) {
            return (byte[]) content;
        }
        if (content instanceof ByteBuffer) {
            final ByteBuffer buffer = ((ByteBuffer) content).duplicate();
            final byte[] found = new byte[buffer.remaining()];
            buffer.get(found);
            return found;
        }
        throw new DataException(at(record) + ": its " + what + " is of type " + content.getClass().getName() + " and not bytes. Fix: set "
            + "key.converter, value.converter and header.converter of the connector to ByteArrayConverter");
    }

    private static String at(SinkRecord record) {
        return record.topic() + "-" + record.kafkaPartition() + " offset " + record.kafkaOffset();
    }
}

package kafkaferry.connect.s3;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import org.apache.kafka.connect.data.Schema;
import org.apache.kafka.connect.errors.ConnectException;
import org.apache.kafka.connect.header.ConnectHeaders;
import org.apache.kafka.connect.source.SourceRecord;
import org.apache.kafka.connect.source.SourceTask;

/** Reads one object after the other, and looks for new manifests when there is none left. */
public final class S3SegmentSourceTask extends SourceTask {
    private static final long PAUSE = 200;

    private SourceConfig config;
    private Store store;
    private Backlog backlog;
    private final Map<String, String> targets = new HashMap<>();
    private long refreshed;
    private boolean looked;
    private volatile boolean stopping;

    private Iterator<Backlog.Partition> turn = List.<Backlog.Partition>of().iterator();
    private Backlog.Partition partition;
    private Backlog.Line line;
    private Download download;
    private long last;
    private long count;

    @Override
    public String version() {
        return Version.TEXT;
    }

    @Override
    public void start(Map<String, String> settings) {
        config = new SourceConfig(settings);
        store = new S3Store(config);
        backlog = new Backlog(store, config.export(), config::wants, config::isMine, this::position);
    }

    private Map<String, Object> sourcePartition(String topic, String topicId, int number) {
        final Map<String, Object> found = new HashMap<>();
        found.put("export", store.location() + config.export());
        found.put("topic", topic);
        found.put("topic_id", topicId);
        found.put("partition", String.valueOf(number));
        return found;
    }

    private long position(String topic, String topicId, int number) {
        final Map<String, Object> found = context.offsetStorageReader().offset(sourcePartition(topic, topicId, number));
        return found == null || found.get("offset") == null ? -1 : ((Number) found.get("offset")).longValue() + 1;
    }

    @Override
    public List<SourceRecord> poll() throws InterruptedException {
        synchronized (this) {
            if (stopping) {
                return null;
            }
            if (download != null || begin()) {
                return records();
            }
        }
        for (long left = PAUSE; left > 0 && !stopping; left -= 50) {
            Thread.sleep(50);
        }
        return null;
    }

    private List<SourceRecord> records() {
        final List<SourceRecord> found = new ArrayList<>();
        final int most = config.getInt(SourceConfig.BATCH);
        while (found.size() < most) {
            final Entry entry = download.next();
            if (entry == null) {
                end();
                break;
            }
            if (entry.offset <= last || entry.offset >= line.end || ++count > line.records) {
                throw new DamagedObject(line.key, "its records are not those that the manifest says");
            }
            last = entry.offset;
            if (entry.offset >= partition.position) {
                found.add(record(entry));
                partition.position = entry.offset + 1;
            }
        }
        return found.isEmpty() ? null : found;
    }

    /** Opens the object that comes next; false when there is none. */
    private boolean begin() {
        final long now = System.nanoTime() / 1_000_000;
        for (int round = 0; round < 2; round++) { // the rest of this turn, and one from the first partition on
            while (turn.hasNext()) {
                partition = turn.next();
                line = partition.next();
                if (line != null) {
                    download = new Download(store, line, partition.topic, partition.number);
                    last = line.begin - 1;
                    count = 0;
                    return true;
                }
            }
            if (!looked || now - refreshed >= config.getLong(SourceConfig.POLL)) {
                backlog.refresh();
                checkNames();
                refreshed = now;
                looked = true;
            }
            turn = backlog.partitions().iterator();
        }
        return false;
    }

    /** Two topics that become one would mix their records. */
    private void checkNames() {
        for (String topic : backlog.topics()) {
            final String other = targets.put(config.renamed(topic), topic);
            if (other != null && !other.equals(topic)) {
                throw new ConnectException("topics " + topic + " and " + other + " would both become " + config.renamed(topic)
                    + ". Fix: correct " + SourceConfig.RENAME + " or " + SourceConfig.RENAME_REGEX);
            }
        }
    }

    private void end() {
        final boolean whole = count == line.records;
        download.close();
        download = null;
        if (!whole) {
            throw new DamagedObject(line.key, count + " records, the manifest says " + line.records);
        }
        partition.position = Math.max(partition.position, line.end);
    }

    private SourceRecord record(Entry entry) {
        if (entry.timestamp < Entry.NO_TIMESTAMP) {
            throw new DamagedObject(line.key, "the record at offset " + entry.offset + " has the timestamp " + entry.timestamp
                + ", which Kafka's producers refuse");
        }
        final ConnectHeaders headers = new ConnectHeaders();
        for (int at = 0; at < entry.headerNames.size(); at++) {
            headers.add(entry.headerNames.get(at), entry.headerValues.get(at), Schema.OPTIONAL_BYTES_SCHEMA);
        }
        final Map<String, Object> offset = new HashMap<>();
        offset.put("object", line.key);
        offset.put("offset", entry.offset);
        return new SourceRecord(sourcePartition(partition.topic, partition.topicId, partition.number), offset,
            config.renamed(partition.topic), partition.number, Schema.OPTIONAL_BYTES_SCHEMA, entry.key, Schema.OPTIONAL_BYTES_SCHEMA,
            entry.value, entry.timestamp < 0 ? null : entry.timestamp, headers);
    }

    /** Workers before 3.0 call it from another thread, in the middle of a poll. */
    @Override
    public void stop() {
        stopping = true;
        synchronized (this) {
            try {
                if (download != null) {
                    download.close();
                    download = null;
                }
            } finally {
                if (store != null) {
                    store.close();
                }
            }
        }
    }
}

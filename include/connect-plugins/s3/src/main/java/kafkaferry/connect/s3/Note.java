package kafkaferry.connect.s3;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;

/** What is known of one object of a partition: a manifest's line, and until it is in one, an object of its own beside the data. */
final class Note {
    static final int LIMIT = 64 * 1024;

    final String topic;
    final String topicId;
    final int partition;
    final long begin;
    final long end;
    /** As manifests have it (jobs/backup/rules/manifest.py, Segment). */
    final Map<String, Object> segment;

    Note(String topic, String topicId, int partition, Map<String, Object> segment) {
        this.topic = topic;
        this.topicId = topicId;
        this.partition = partition;
        this.begin = (Long) segment.get("begin");
        this.end = (Long) segment.get("end");
        this.segment = segment;
    }

    byte[] toBytes() {
        final Map<String, Object> json = new TreeMap<>();
        json.put("topic", topic);
        json.put("topic_id", topicId);
        json.put("partition", (long) partition);
        json.put("segment", segment);
        return Json.canonical(json);
    }

    /** @throws DamagedObject it is none, or one of another key */
    @SuppressWarnings("unchecked")
    static Note of(byte[] data, String key, String export) {
        try {
            final Map<String, Object> json = (Map<String, Object>) Json.parse(data);
            final int partition = Math.toIntExact((Long) json.get("partition"));
            final Note found = new Note((String) json.get("topic"), (String) json.get("topic_id"), partition,
                (Map<String, Object>) json.get("segment"));
            if (key.equals(Layout.note(export, found.topic, found.topicId, partition, found.begin))) {
                return found;
            }
        } catch (IOException | ClassCastException | NullPointerException | ArithmeticException error) {
            throw new DamagedObject(key, "it is no note of a sink: " + error, error);
        }
        throw new DamagedObject(key, "it is the note of another object");
    }

    /** All that are there, in order of their keys. */
    static List<Note> all(Store store, String export) {
        final List<Note> found = new ArrayList<>(Parallel.map(store.list(Layout.notes(export), null), one -> {
            final byte[] data = store.get(one.key, LIMIT);
            return data == null ? null : of(data, one.key, export);
        }));
        found.removeIf(Objects::isNull); // those that went into a manifest since they were listed
        return found;
    }
}

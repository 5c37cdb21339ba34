package kafkaferry.connect.s3;

import java.util.Arrays;

/** Where the objects are, relative to the prefix: that of Kafka Ferry's backups and exports (jobs/backup/rules/layout.py). */
final class Layout {
    private Layout() {}

    static String manifests(String export) {
        return export + "/manifests/";
    }

    static String manifest(String export, String id) {
        return manifests(export) + id + ".json";
    }

    /** Folder of the notes on objects that are in no manifest yet, one for each. */
    static String notes(String export) {
        return export + "/journal/sink/";
    }

    /** Where something of a partition begins, below a folder; sorts as offsets do. */
    private static String place(String topic, String topicId, int partition, long begin) {
        return String.format("%s/%s/%06d/%020d", topic, inKey(topicId), partition, begin);
    }

    static String note(String export, String topic, String topicId, int partition, long begin) {
        return notes(export) + place(topic, topicId, partition, begin) + ".json";
    }

    static String data(String export) {
        return export + "/data/";
    }

    /** The key of an object of the sink: it follows from where it begins, so the same records are written to the same key. */
    static String segment(String export, String topic, String topicId, int partition, long begin, Format format) {
        return data(export) + place(topic, topicId, partition, begin) + format.ending;
    }

    /** Folder of a partition's objects. */
    static String partition(String export, String topic, String topicId, int partition) {
        return String.format("%s%s/%s/%06d/", data(export), topic, inKey(topicId), partition);
    }

    /** Whether a manifest's key is that of its own object: whoever may write manifests must not lead us elsewhere. */
    static boolean isOwn(String key, String export, String topic, String topicId, int partition, long begin, String sha256) {
        final String place = data(export) + place(topic, topicId, partition, begin);
        final int dot = key.indexOf('.', place.length());
        if (!key.startsWith(place) || dot < 0 || sha256.length() != 64) {
            return false;
        }
        final String between = key.substring(place.length(), dot);
        final String ending = key.substring(dot);
        return (between.isEmpty() || between.equals("-" + sha256.substring(0, 16)))
            && Arrays.stream(Format.values()).anyMatch(one -> one.ending.equals(ending));
    }

    /** Manifests have topic ids in plain base64, as librdkafka gives them; keys have Kafka's own, which "/" cannot cut. */
    static String inKey(String topicId) {
        return topicId.replace('/', '_').replace('+', '-');
    }

    static String inManifest(String topicId) {
        return topicId.replace('_', '/').replace('-', '+');
    }
}

package kafkaferry.connect.s3;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/** Manifests of one export as they lie in the store. */
final class Manifests {
    /** The largest that is read: a hundred thousand objects. */
    static final int LIMIT = 128 * 1024 * 1024;
    static final String SCHEMA = "kafka-ferry.backup/1";
    /** Ids of those that a sink writes begin with this; the time follows, so that they sort. */
    static final String SINK = "sink-";

    private Manifests() {}

    /** Keys of manifests behind one, or all. */
    static List<String> keys(Store store, String export, String after) {
        final String prefix = Layout.manifests(export);
        final List<String> found = new ArrayList<>();
        for (Store.Listed one : store.list(prefix, after)) {
            if (one.key.endsWith(".json") && one.key.indexOf('/', prefix.length()) < 0) {
                found.add(one.key);
            }
        }
        return found;
    }

    static String idOf(String key) {
        return key.substring(key.lastIndexOf('/') + 1, key.length() - ".json".length());
    }

    /** The newest that a sink wrote; null when there is none. */
    static Map<String, Object> newestOfSink(Store store, String export) {
        String newest = null;
        for (String key : keys(store, export, Layout.manifests(export) + SINK)) {
            newest = idOf(key).startsWith(SINK) ? key : newest;
        }
        return newest == null ? null : read(store, export, newest);
    }

    /**
     * A manifest whose digest is right; null when it is gone.
     *
     * @throws DamagedObject it is none, is damaged, or of a version that is not known here
     */
    @SuppressWarnings("unchecked")
    static Map<String, Object> read(Store store, String export, String key) {
        final byte[] data = store.get(key, LIMIT);
        if (data == null) {
            return null;
        }
        try {
            final Map<String, Object> found = (Map<String, Object>) Json.parse(data);
            final Object digest = found.remove("sha256");
            found.remove("signature"); // a JVM has no key of it; digests find what was damaged
            if (!SCHEMA.equals(found.get("schema"))) {
                throw new DamagedObject(key, "its schema is " + found.get("schema") + "; known is " + SCHEMA);
            }
            if (!Json.sha256(Json.canonical(found)).equals(digest)) {
                throw new DamagedObject(key, "its digest does not match its content");
            }
            if (!export.equals(found.get("backup")) || !idOf(key).equals(found.get("backup_id"))) {
                throw new DamagedObject(key, "it is the manifest of another export");
            }
            return found;
        } catch (IOException | ClassCastException error) {
            throw new DamagedObject(key, "it is no manifest: " + error.getMessage(), error);
        }
    }

    /** With its digest, as it is stored. */
    static byte[] written(Map<String, Object> content) {
        final Map<String, Object> found = new java.util.LinkedHashMap<>(content);
        found.put("sha256", Json.sha256(Json.canonical(content)));
        return Json.canonical(found);
    }

    static boolean isComplete(Map<String, Object> manifest) {
        return "COMPLETE".equals(manifest.get("state"));
    }

    @SuppressWarnings("unchecked")
    static List<Map<String, Object>> list(Map<String, Object> of, String name) {
        final Object found = of.get(name);
        return found == null ? List.of() : (List<Map<String, Object>>) found;
    }
}

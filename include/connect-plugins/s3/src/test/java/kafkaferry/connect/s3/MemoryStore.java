package kafkaferry.connect.s3;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.TreeMap;
import java.util.function.Predicate;
import org.apache.kafka.connect.errors.ConnectException;

/** A store for tests of what is decided, and not of how it is sent: that is for a real server (tests/integration/s3). */
final class MemoryStore implements Store {
    final TreeMap<String, byte[]> objects = new TreeMap<>();
    final List<String> aborted = new ArrayList<>();
    int parts;
    /** A piece of the keys that cannot be written; null: all can. */
    String broken;

    private static byte[] bytes(Chunks content) {
        try (InputStream input = content.stream()) {
            return input.readAllBytes();
        } catch (IOException error) {
            throw new IllegalStateException(error);
        }
    }

    private void check(String key) {
        if (broken != null && key.contains(broken)) {
            throw new ConnectException("cannot write " + key);
        }
    }

    @Override
    public String location() {
        return "memory://";
    }

    @Override
    public byte[] get(String key, int limit) {
        return objects.get(key);
    }

    @Override
    public InputStream open(String key) {
        return objects.containsKey(key) ? new ByteArrayInputStream(objects.get(key)) : null;
    }

    @Override
    public void put(String key, Chunks content) {
        check(key);
        objects.put(key, bytes(content));
    }

    @Override
    public Upload upload(String key) {
        check(key);
        final ByteArrayOutputStream sent = new ByteArrayOutputStream();
        return new Upload() {
            @Override
            public void part(Chunks content) {
                check(key);
                parts++;
                sent.writeBytes(bytes(content));
            }

            @Override
            public void complete() {
                check(key);
                objects.put(key, sent.toByteArray());
            }

            @Override
            public void abort() {
                aborted.add(key);
            }
        };
    }

    @Override
    public void abortUploads(String prefix, Predicate<String> wanted) {}

    @Override
    public List<Listed> list(String prefix, String after) {
        final List<Listed> found = new ArrayList<>();
        objects.forEach((key, content) -> {
            if (key.startsWith(prefix) && (after == null || key.compareTo(after) > 0)) {
                found.add(new Listed(key, content.length));
            }
        });
        return found;
    }

    @Override
    public void delete(Collection<String> keys) {
        objects.keySet().removeAll(keys);
    }

    @Override
    public void close() {}
}

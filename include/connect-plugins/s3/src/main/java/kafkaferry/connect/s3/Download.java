package kafkaferry.connect.s3;

import java.io.BufferedOutputStream;
import java.io.Closeable;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import org.apache.kafka.connect.errors.ConnectException;

/** An object on the worker's disk, once it is proven to be what was written: no record of a damaged one reaches a topic. */
final class Download implements Closeable {
    private final Path file;
    private final RecordReader reader;

    Download(Store store, Backlog.Line line, String topic, int partition) {
        try {
            file = Files.createTempFile("kafka-ferry-", ".object");
        } catch (IOException error) {
            throw new ConnectException("no file can be made in " + System.getProperty("java.io.tmpdir") + ": " + error, error);
        }
        try {
            fetch(store, line);
            reader = Format.reader(line.key, file, topic, partition);
        } catch (IOException error) {
            close();
            throw new ConnectException(store.location() + line.key + ": cannot be read: " + error, error);
        } catch (RuntimeException error) {
            close();
            throw error;
        }
    }

    private void fetch(Store store, Backlog.Line line) throws IOException {
        final MessageDigest sha256 = Json.digest();
        long size = 0;
        try (InputStream input = store.open(line.key); OutputStream output = new BufferedOutputStream(Files.newOutputStream(file))) {
            if (input == null) {
                throw new DamagedObject(store.location() + line.key, "it is missing, and a manifest names it");
            }
            final byte[] piece = new byte[64 * 1024];
            for (int some = input.read(piece); some >= 0 && size <= line.size; some = input.read(piece)) {
                sha256.update(piece, 0, some);
                output.write(piece, 0, some);
                size += some;
            }
        }
        if (size != line.size || !Json.hex(sha256.digest()).equals(line.sha256)) {
            throw new DamagedObject(store.location() + line.key, "its SHA-256 is not that of the manifest: it is not what was written");
        }
    }

    Entry next() {
        try {
            return reader.next();
        } catch (IOException error) {
            throw new ConnectException("an object on the worker's disk cannot be read: " + error, error);
        }
    }

    @Override
    public void close() {
        try {
            if (reader != null) {
                reader.close();
            }
            Files.deleteIfExists(file);
        } catch (IOException error) {
            throw new ConnectException("a temporary file stays: " + error, error);
        }
    }
}

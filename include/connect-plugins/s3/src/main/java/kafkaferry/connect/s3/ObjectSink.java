package kafkaferry.connect.s3;

import java.io.OutputStream;
import java.security.MessageDigest;

/**
 * Where the bytes of one object go: into memory until a part is full, then to the store. An object smaller than a part is one
 * request; until it is complete there is none.
 */
final class ObjectSink extends OutputStream {
    private final Store store;
    private final String key;
    private final int partSize;
    private final MessageDigest sha256 = Json.digest();
    private Chunks waiting = new Chunks();
    private Store.Upload upload;
    private long size;

    ObjectSink(Store store, String key, int partSize) {
        this.store = store;
        this.key = key;
        this.partSize = partSize;
    }

    @Override
    public void write(int one) {
        write(new byte[] {(byte) one}, 0, 1);
    }

    @Override
    public void write(byte[] content, int begin, int count) {
        waiting.write(content, begin, count);
        sha256.update(content, begin, count);
        size += count;
        if (waiting.size() >= partSize) {
            sendPart();
        }
    }

    private void sendPart() {
        if (upload == null) {
            upload = store.upload(key);
        }
        upload.part(waiting);
        waiting = new Chunks();
    }

    /** Sends what waits, if a part may be so small. */
    boolean relieve() {
        if (waiting.size() < Config.SMALLEST_PART) {
            return false;
        }
        sendPart();
        return true;
    }

    /** Heap that it takes. */
    long memory() {
        return waiting.memory();
    }

    /** Bytes of the object so far. */
    long size() {
        return size;
    }

    /** Makes the object; its SHA-256 in hex. */
    String complete() {
        if (upload == null) {
            store.put(key, waiting);
        } else {
            if (waiting.size() > 0) {
                sendPart();
            }
            upload.complete();
        }
        waiting = new Chunks();
        return Json.hex(sha256.digest());
    }

    void abort() {
        waiting = new Chunks();
        if (upload != null) {
            upload.abort();
        }
    }
}

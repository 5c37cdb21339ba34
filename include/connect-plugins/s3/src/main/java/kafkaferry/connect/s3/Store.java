package kafkaferry.connect.s3;

import java.io.InputStream;
import java.util.Collection;
import java.util.List;
import java.util.function.Predicate;

/** A folder of a bucket. Keys are relative to it. Whatever fails after its bounded retries is a ConnectException. */
interface Store extends AutoCloseable {
    /** An object in a listing. */
    final class Listed {
        final String key;
        final long size;

        Listed(String key, long size) {
            this.key = key;
            this.size = size;
        }
    }

    /** An object that is written in parts. It is there once it is completed, and not before. */
    interface Upload {
        void part(Chunks content);

        void complete();

        /** Gives up what was sent. Does not throw: it is for when something else failed. */
        void abort();
    }

    /** Where it is, for messages. */
    String location();

    /** The object; null when there is none. One larger than the limit is refused. */
    byte[] get(String key, int limit);

    /** The object, as it comes; null when there is none. */
    InputStream open(String key);

    void put(String key, Chunks content);

    Upload upload(String key);

    /** Gives up unfinished uploads below a folder, of tasks that were killed. Does not throw: all works without that. */
    void abortUploads(String prefix, Predicate<String> wanted);

    /** @param after the key behind which it begins; null: at the first */
    List<Listed> list(String prefix, String after);

    void delete(Collection<String> keys);

    @Override
    void close();
}

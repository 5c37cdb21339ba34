package kafkaferry.connect.s3;

import java.io.Closeable;
import java.io.IOException;

/** The records of an object, one after the other. */
interface RecordReader extends Closeable {
    /**
     * The next record; null behind the last.
     *
     * @throws DamagedObject it is not what was written
     */
    Entry next() throws IOException;
}

package kafkaferry.connect.s3;

import java.io.IOException;

/** Writes the records of one object, one after the other. */
interface RecordWriter {
    void add(Entry entry) throws IOException;

    /** Heap for records that are not yet where the object's bytes go. */
    long waiting();

    /** Writes what is left; nothing comes behind it. */
    void finish() throws IOException;
}

package kafkaferry.connect.s3;

import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import org.apache.hadoop.conf.Configuration;
import org.apache.parquet.conf.ParquetConfiguration;
import org.apache.parquet.conf.PlainParquetConfiguration;
import org.apache.parquet.hadoop.ParquetWriter;
import org.apache.parquet.hadoop.api.WriteSupport;
import org.apache.parquet.hadoop.metadata.CompressionCodecName;
import org.apache.parquet.io.OutputFile;
import org.apache.parquet.io.PositionOutputStream;
import org.apache.parquet.io.api.Binary;
import org.apache.parquet.io.api.RecordConsumer;

/** Writes records as a Parquet file, as Kafka Ferry's exports have it (jobs/backup/rules/segment.py). */
final class ParquetObjectWriter implements RecordWriter {
    /** A row group ends with so many bytes: what each open object holds. */
    static final int ROW_GROUP_BYTES = 4 * 1024 * 1024;

    private static final int PAGE_BYTES = 256 * 1024;
    /** The row group is measured at least this often, in records: they may be of a megabyte each. */
    private static final int MEASURED_EVERY = 50;

    private final Output output;
    private final ParquetWriter<Entry> writer;

    /** @param about what the object is; put into its footer, so that it tells without a manifest */
    ParquetObjectWriter(OutputStream sink, int partition, Map<String, Object> about) throws IOException {
        output = new Output(sink);
        writer = new Builder(output, new Support(partition, about))
            .withConf(new PlainParquetConfiguration())
            .withCodecFactory(new ParquetFormat.Codecs(Integer.MAX_VALUE))
            .withCompressionCodec(CompressionCodecName.ZSTD)
            .withRowGroupSize((long) ROW_GROUP_BYTES)
            .withPageSize(PAGE_BYTES)
            .withMinRowCountForPageSizeCheck(1)
            .withMaxRowCountForPageSizeCheck(MEASURED_EVERY)
            .withDictionaryEncoding(false)
            .withDictionaryEncoding(ParquetFormat.KIND, true)
            .withDictionaryEncoding(ParquetFormat.NAMES, true)
            .build();
    }

    @Override
    public void add(Entry entry) throws IOException {
        writer.write(entry);
    }

    @Override
    public long waiting() {
        return Math.max(0, writer.getDataSize() - output.position);
    }

    @Override
    public void finish() throws IOException {
        writer.close();
    }

    /** The object's bytes. It is not closed with the file: whoever made it completes the object. */
    private static final class Output extends PositionOutputStream implements OutputFile {
        private final OutputStream sink;
        private long position;

        Output(OutputStream sink) {
            this.sink = sink;
        }

        @Override
        public long getPos() {
            return position;
        }

        @Override
        public void write(int one) throws IOException {
            sink.write(one);
            position++;
        }

        @Override
        public void write(byte[] content, int begin, int count) throws IOException {
            sink.write(content, begin, count);
            position += count;
        }

        @Override
        public PositionOutputStream create(long blockSize) {
            return this;
        }

        @Override
        public PositionOutputStream createOrOverwrite(long blockSize) {
            return this;
        }

        @Override
        public boolean supportsBlockSize() {
            return false;
        }

        @Override
        public long defaultBlockSize() {
            return 0;
        }
    }

    private static final class Builder extends ParquetWriter.Builder<Entry, Builder> {
        private final Support support;

        Builder(OutputFile file, Support support) {
            super(file);
            this.support = support;
        }

        @Override
        protected Builder self() {
            return this;
        }

        @Override
        protected WriteSupport<Entry> getWriteSupport(ParquetConfiguration settings) {
            return support;
        }

        @Override
        protected WriteSupport<Entry> getWriteSupport(Configuration settings) {
            return support;
        }
    }

    private static final class Support extends WriteSupport<Entry> {
        private static final Binary[] KINDS = new Binary[Entry.TIMESTAMP_TYPES.length];

        static {
            for (int at = 0; at < KINDS.length; at++) {
                KINDS[at] = Binary.fromString(Entry.TIMESTAMP_TYPES[at]);
            }
        }

        private final int partition;
        private final Map<String, Object> about;
        private RecordConsumer to;

        Support(int partition, Map<String, Object> about) {
            this.partition = partition;
            this.about = about;
        }

        private WriteContext context() {
            return new WriteContext(ParquetFormat.SCHEMA, Map.of(ParquetFormat.ARROW_KEY, ParquetFormat.ARROW, ParquetFormat.ABOUT,
                new String(Json.canonical(about), StandardCharsets.US_ASCII)));
        }

        @Override
        public WriteContext init(ParquetConfiguration settings) {
            return context();
        }

        @Override
        public WriteContext init(Configuration settings) {
            return context();
        }

        @Override
        public void prepareForWrite(RecordConsumer consumer) {
            to = consumer;
        }

        @Override
        public void write(Entry entry) {
            to.startMessage();
            to.startField("offset", 0);
            to.addLong(entry.offset);
            to.endField("offset", 0);
            to.startField("partition", 1);
            to.addInteger(partition);
            to.endField("partition", 1);
            to.startField("timestamp", 2);
            to.addLong(entry.timestamp);
            to.endField("timestamp", 2);
            to.startField(ParquetFormat.KIND, 3);
            to.addBinary(KINDS[entry.timestampType]);
            to.endField(ParquetFormat.KIND, 3);
            bytes("key", 4, entry.key);
            bytes("value", 5, entry.value);
            headers(entry);
            to.endMessage();
        }

        private void bytes(String name, int number, byte[] content) {
            if (content != null) {
                to.startField(name, number);
                to.addBinary(Binary.fromConstantByteArray(content));
                to.endField(name, number);
            }
        }

        private void headers(Entry entry) {
            to.startField("headers", 6);
            to.startGroup();
            if (!entry.headerNames.isEmpty()) {
                to.startField("list", 0);
                for (int at = 0; at < entry.headerNames.size(); at++) {
                    to.startGroup();
                    to.startField("element", 0);
                    to.startGroup();
                    bytes("key", 0, entry.headerNames.get(at).getBytes(StandardCharsets.UTF_8));
                    bytes("value", 1, entry.headerValues.get(at));
                    to.endGroup();
                    to.endField("element", 0);
                    to.endGroup();
                }
                to.endField("list", 0);
            }
            to.endGroup();
            to.endField("headers", 6);
        }
    }
}

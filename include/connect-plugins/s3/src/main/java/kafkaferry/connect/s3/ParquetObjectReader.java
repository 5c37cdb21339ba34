package kafkaferry.connect.s3;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Map;
import org.apache.kafka.connect.errors.ConnectException;
import org.apache.parquet.ParquetReadOptions;
import org.apache.parquet.column.page.PageReadStore;
import org.apache.parquet.conf.PlainParquetConfiguration;
import org.apache.parquet.hadoop.ParquetFileReader;
import org.apache.parquet.hadoop.metadata.BlockMetaData;
import org.apache.parquet.hadoop.metadata.ColumnChunkMetaData;
import org.apache.parquet.io.ColumnIOFactory;
import org.apache.parquet.io.LocalInputFile;
import org.apache.parquet.io.api.Binary;
import org.apache.parquet.io.api.Converter;
import org.apache.parquet.io.api.GroupConverter;
import org.apache.parquet.io.api.PrimitiveConverter;
import org.apache.parquet.io.api.RecordMaterializer;
import org.apache.parquet.schema.MessageType;

/** Reads the Parquet files of Kafka Ferry's exports. A file may come from somebody who wants its reader to fail. */
final class ParquetObjectReader implements RecordReader {
    /** What a row group may take, packed, and a page unpacked: ours have 16 MB, or one large record. */
    private static final int LIMIT = AvroReader.BLOCK_LIMIT;
    /** A run of equal headers takes a few bytes, whatever its length. */
    private static final int MOST_HEADERS = 1_000_000;
    private static final int FOOTER_LIMIT = 4 * 1024 * 1024;
    private static final int END = 8; // its length and PAR1

    private final String what;
    private final int partition;
    private final ParquetFileReader file;
    private final MessageType schema;
    private PageReadStore group;
    private org.apache.parquet.io.RecordReader<Row> records;
    private long left;
    private int next;

    /** @param what the object, for messages. @param topic of which it must be. @param partition alike */
    ParquetObjectReader(Path path, String what, String topic, int partition) throws IOException {
        this.what = what;
        this.partition = partition;
        final long size = Files.size(path);
        checkFooter(path, size);
        final ParquetReadOptions options = ParquetReadOptions.builder(new PlainParquetConfiguration())
            .withCodecFactory(new ParquetFormat.Codecs(LIMIT)).withUseHadoopVectoredIo(false).useColumnIndexFilter(false).build();
        try {
            file = ParquetFileReader.open(new LocalInputFile(path), options);
        } catch (RuntimeException error) {
            throw new DamagedObject(what, "it is no Parquet file: " + error.getMessage(), error);
        }
        try {
            schema = file.getFileMetaData().getSchema();
            check(!schema.equals(ParquetFormat.BINARY_NAMES), "it has a header whose name is not UTF-8, which Kafka Connect cannot carry. "
                + "Fix: import it with the DAG import_topics_from_s3");
            check(schema.equals(ParquetFormat.SCHEMA), "its columns are not those of Kafka Ferry's exports");
            checkAbout(file.getFileMetaData().getKeyValueMetaData().get(ParquetFormat.ABOUT), topic);
            for (BlockMetaData block : file.getRowGroups()) {
                checkGroup(block, size);
            }
        } catch (RuntimeException error) {
            file.close();
            throw error instanceof ConnectException ? error : new DamagedObject(what, "its footer is none of ours", error);
        }
    }

    /** A footer is read in one piece. */
    private void checkFooter(Path path, long size) throws IOException {
        check(size > END, "it is no Parquet file: it has " + size + " bytes");
        try (java.nio.channels.SeekableByteChannel channel = Files.newByteChannel(path)) {
            final ByteBuffer end = ByteBuffer.allocate(END).order(java.nio.ByteOrder.LITTLE_ENDIAN);
            channel.position(size - END);
            while (end.hasRemaining() && channel.read(end) >= 0) {
                // to its end
            }
            final int footer = end.flip().getInt();
            check(footer > 0 && footer <= Math.min(FOOTER_LIMIT, size - END), "a footer of " + footer + " bytes");
        }
    }

    private void checkAbout(String about, String topic) throws IOException {
        check(about != null, "it carries no description of Kafka Ferry");
        final Object found = Json.parse(about.getBytes(StandardCharsets.UTF_8));
        check(found instanceof Map && topic.equals(((Map<?, ?>) found).get("topic"))
            && Long.valueOf(partition).equals(((Map<?, ?>) found).get("partition")), "it is the object of another partition");
    }

    /** Row groups are read in one piece. */
    private void checkGroup(BlockMetaData block, long size) {
        long total = 0;
        check(block.getRowCount() > 0, "a row group without records");
        for (ColumnChunkMetaData column : block.getColumns()) {
            check(column.getTotalSize() >= 0 && column.getStartingPos() >= 0 && column.getStartingPos() <= size - column.getTotalSize(),
                "a column lies outside of it");
            total += column.getTotalSize();
        }
        check(total <= LIMIT, "a row group of " + total + " bytes");
    }

    @Override
    public Entry next() throws IOException {
        try {
            while (left == 0) {
                closeGroup();
                if (next == file.getRowGroups().size()) {
                    return null;
                }
                left = file.getRowGroups().get(next++).getRowCount();
                group = file.readNextRowGroup();
                records = new ColumnIOFactory().getColumnIO(schema, schema).getRecordReader(group, new Rows());
            }
            left--;
            return records.read().entry();
        } catch (ConnectException error) {
            throw error;
        } catch (IOException | RuntimeException error) {
            throw new DamagedObject(what, "a row group cannot be read: " + error.getMessage(), error);
        }
    }

    private void closeGroup() {
        if (group != null) {
            group.close();
            group = null;
        }
    }

    private void check(boolean good, String problem) {
        if (!good) {
            throw new DamagedObject(what, problem);
        }
    }

    @Override
    public void close() throws IOException {
        closeGroup();
        file.close();
    }

    private final class Rows extends RecordMaterializer<Row> {
        private final Row row = new Row();

        @Override
        public Row getCurrentRecord() {
            return row;
        }

        @Override
        public GroupConverter getRootConverter() {
            return row;
        }
    }

    private interface Taker {
        void take(Binary content);
    }

    private static Converter binary(Taker taker) {
        return new PrimitiveConverter() {
            @Override
            public void addBinary(Binary content) {
                taker.take(content);
            }
        };
    }

    /** Takes the columns of one record after the other. */
    private final class Row extends GroupConverter {
        private long offset;
        private int number;
        private long timestamp;
        private int kind;
        private byte[] key;
        private byte[] value;
        private Entry headers;
        private byte[] name;
        private byte[] content;
        private boolean present;
        private long bytes;

        private final Converter[] fields = {
            new PrimitiveConverter() {
                @Override
                public void addLong(long found) {
                    offset = found;
                }
            },
            new PrimitiveConverter() {
                @Override
                public void addInt(int found) {
                    number = found;
                }
            },
            new PrimitiveConverter() {
                @Override
                public void addLong(long found) {
                    timestamp = found;
                }
            },
            binary(found -> {
                kind = Arrays.asList(Entry.TIMESTAMP_TYPES).indexOf(found.toStringUsingUTF8());
                check(kind >= 0, "a timestamp's type is none of Kafka's");
            }),
            binary(found -> key = taken(found)),
            binary(found -> value = taken(found)),
            group(() -> {}, () -> {}, group(() -> present = false, this::header, group(() -> {
                name = null;
                content = null;
            }, () -> present = true, binary(found -> name = taken(found)), binary(found -> content = taken(found))))),
        };

        private byte[] taken(Binary found) {
            bytes += found.length();
            check(bytes <= LIMIT, "a record of more than " + LIMIT + " bytes");
            return found.getBytes();
        }

        private void header() {
            check(present && name != null, "a header without a name");
            check(headers.headerNames.size() < MOST_HEADERS, "a record with more than " + MOST_HEADERS + " headers");
            try {
                headers.header(StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(name)).toString(), content);
            } catch (CharacterCodingException error) {
                throw new DamagedObject(what, "text that is not UTF-8", error);
            }
        }

        @Override
        public Converter getConverter(int field) {
            return fields[field];
        }

        @Override
        public void start() {
            key = null;
            value = null;
            headers = new Entry(0, 0, 0, null, null);
            bytes = 0;
        }

        @Override
        public void end() {}

        Entry entry() {
            check(number == partition, "a record is of another partition");
            final Entry found = new Entry(offset, timestamp, kind, key, value);
            found.headerNames.addAll(headers.headerNames);
            found.headerValues.addAll(headers.headerValues);
            return found;
        }
    }

    private static GroupConverter group(Runnable begin, Runnable done, Converter... fields) {
        return new GroupConverter() {
            @Override
            public Converter getConverter(int field) {
                return fields[field];
            }

            @Override
            public void start() {
                begin.run();
            }

            @Override
            public void end() {
                done.run();
            }
        };
    }
}

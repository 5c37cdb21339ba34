package kafkaferry.connect.s3;

import com.github.luben.zstd.Zstd;
import java.io.IOException;
import java.nio.ByteBuffer;
import org.apache.parquet.bytes.BytesInput;
import org.apache.parquet.compression.CompressionCodecFactory;
import org.apache.parquet.hadoop.metadata.CompressionCodecName;
import org.apache.parquet.schema.LogicalTypeAnnotation;
import org.apache.parquet.schema.MessageType;
import org.apache.parquet.schema.PrimitiveType.PrimitiveTypeName;
import org.apache.parquet.schema.Types;

/** Columns and packing of Kafka Ferry's Parquet files (jobs/backup/rules/segment.py). */
final class ParquetFormat {
    /** Of the topic, the partition and so on, in a file's footer. */
    static final String ABOUT = "kafka_ferry";

    /** The same columns as Arrow has them: what reads a file with Arrow gets them in these types (its C++ library's convention). */
    static final String ARROW_KEY = "ARROW:schema";
    static final String ARROW = "/////3ACAAAQAAAAAAAKAAwABgAFAAgACgAAAAABBAAEAAAAlP7//wQAAAAHAAAADAIAAMQBAAB8AQAAJAEAAOwAAACwAAAABAAAACD+//8AAAAM"
        + "FAAAABwAAAAEAAAAAQAAABQAAAAHAAAAaGVhZGVycwDI/v//XP///wAAAQ0YAAAAIAAAAAQAAAACAAAAQAAAABQAAAAEAAAAaXRlbQAAAAD4/v//"
        + "jP///wAAAQQQAAAAGAAAAAQAAAAAAAAABQAAAHZhbHVlAAAAIP///6T+//8AAAAFEAAAABQAAAAEAAAAAAAAAAMAAABrZXkARP///9j///8AAAEE"
        + "EAAAABgAAAAEAAAAAAAAAAUAAAB2YWx1ZQAAAGz///8QABQACAAGAAcADAAAABAAEAAAAAAAAQQQAAAAFAAAAAQAAAAAAAAAAwAAAGtleQCg////"
        + "EAAYAAgAAAAHAAwAEAAUABAAAAAAAAAFFAAAAEQAAAAoAAAABAAAAAAAAAAOAAAAdGltZXN0YW1wX3R5cGUAAAgACAAAAAQACAAAAAQAAABA////"
        + "AAAAAQgAAAAEAAQABAAAAIj///8AAAAKEAAAACQAAAAEAAAAAAAAAAkAAAB0aW1lc3RhbXAAAAAIAAwABgAIAAgAAAAAAAEABAAAAAMAAABVVEMA"
        + "zP///wAAAAIQAAAAHAAAAAQAAAAAAAAACQAAAHBhcnRpdGlvbgAAAMD///8AAAABIAAAABAAFAAIAAAABwAMAAAAEAAQAAAAAAAAAhAAAAAgAAAA"
        + "BAAAAAAAAAAGAAAAb2Zmc2V0AAAIAAwACAAHAAgAAAAAAAABQAAAAAAAAAA=";

    static final String KIND = "timestamp_type";
    static final String NAMES = "headers.list.element.key";
    static final String VALUES = "headers.list.element.value";

    static final MessageType SCHEMA = schema(LogicalTypeAnnotation.stringType());
    /** Of a file with a header whose name is not UTF-8. */
    static final MessageType BINARY_NAMES = schema(null);

    private ParquetFormat() {}

    private static MessageType schema(LogicalTypeAnnotation name) {
        return Types.buildMessage()
            .required(PrimitiveTypeName.INT64).named("offset")
            .required(PrimitiveTypeName.INT32).named("partition")
            .required(PrimitiveTypeName.INT64).as(LogicalTypeAnnotation.timestampType(true, LogicalTypeAnnotation.TimeUnit.MILLIS))
            .named("timestamp")
            .required(PrimitiveTypeName.BINARY).as(LogicalTypeAnnotation.stringType()).named(KIND)
            .optional(PrimitiveTypeName.BINARY).named("key")
            .optional(PrimitiveTypeName.BINARY).named("value")
            .requiredGroup().as(LogicalTypeAnnotation.listType())
            .repeatedGroup()
            .optionalGroup()
            .required(PrimitiveTypeName.BINARY).as(name).named("key")
            .optional(PrimitiveTypeName.BINARY).named("value")
            .named("element")
            .named("list")
            .named("headers")
            .named("schema");
    }

    /** Zstandard by the worker's own library, and no other: the codecs of parquet-hadoop want Hadoop. */
    static final class Codecs implements CompressionCodecFactory, CompressionCodecFactory.BytesInputCompressor,
            CompressionCodecFactory.BytesInputDecompressor {
        private static final int LEVEL = 1;

        private final int limit;

        /** @param limit bytes that a page may become */
        Codecs(int limit) {
            this.limit = limit;
        }

        private Codecs checked(CompressionCodecName codec) {
            if (codec != CompressionCodecName.ZSTD) {
                throw new IllegalArgumentException("its pages are packed with " + codec + "; known is ZSTD");
            }
            return this;
        }

        @Override
        public BytesInputCompressor getCompressor(CompressionCodecName codec) {
            return checked(codec);
        }

        @Override
        public BytesInputDecompressor getDecompressor(CompressionCodecName codec) {
            return checked(codec);
        }

        @Override
        public CompressionCodecName getCodecName() {
            return CompressionCodecName.ZSTD;
        }

        @Override
        public BytesInput compress(BytesInput bytes) throws IOException {
            final byte[] plain = bytes.toByteArray();
            return BytesInput.from(Zstd.compress(plain, LEVEL));
        }

        @Override
        public BytesInput decompress(BytesInput bytes, int size) throws IOException {
            if (size < 0 || size > limit) {
                throw new IllegalArgumentException("a page of " + size + " bytes");
            }
            final byte[] plain = new byte[size];
            final long found = Zstd.decompress(plain, bytes.toByteArray());
            if (Zstd.isError(found) || found != size) {
                throw new IllegalArgumentException("a page that cannot be unpacked");
            }
            return BytesInput.from(plain);
        }

        @Override
        public void decompress(ByteBuffer input, int packed, ByteBuffer output, int size) throws IOException {
            final byte[] bytes = new byte[packed];
            input.get(bytes);
            output.put(decompress(BytesInput.from(bytes), size).toByteArray());
        }

        @Override
        public void release() {}
    }
}

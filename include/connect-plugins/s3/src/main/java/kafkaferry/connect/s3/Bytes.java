package kafkaferry.connect.s3;

import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;

/** Bytes in memory, with the numbers that Avro and Kafka's record format write: zigzag varints. */
final class Bytes extends ByteArrayOutputStream {
    Bytes(int size) {
        super(size);
    }

    void varint(long number) {
        long rest = number << 1 ^ number >> 63;
        while ((rest & ~127L) != 0) {
            write((int) (rest & 127 | 128));
            rest >>>= 7;
        }
        write((int) rest);
    }

    /** Four bytes, the lowest first. */
    void little(int number) {
        for (int shift = 0; shift < 32; shift += 8) {
            write(number >>> shift);
        }
    }

    /** Bytes with their number before them. */
    void sized(byte[] content) {
        varint(content.length);
        write(content, 0, content.length);
    }

    void text(String text) {
        sized(text.getBytes(StandardCharsets.UTF_8));
    }

    /** The array itself, of which the first {@link #size()} bytes count. */
    byte[] array() {
        return buf;
    }
}

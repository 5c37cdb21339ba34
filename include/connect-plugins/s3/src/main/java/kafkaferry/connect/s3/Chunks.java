package kafkaferry.connect.s3;

import java.io.ByteArrayInputStream;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.SequenceInputStream;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;

/** Bytes in pieces: growing needs no copy of what is there, so that memory is what is held and not three times as much. */
final class Chunks extends OutputStream {
    private static final int PIECE = 64 * 1024;

    private final List<byte[]> pieces = new ArrayList<>();
    private int last = PIECE;
    private long size;

    static Chunks of(byte[] content) {
        final Chunks found = new Chunks();
        found.write(content, 0, content.length);
        return found;
    }

    @Override
    public void write(int one) {
        write(new byte[] {(byte) one}, 0, 1);
    }

    @Override
    public void write(byte[] content, int begin, int count) {
        int at = begin;
        for (int left = count; left > 0; ) {
            if (last == PIECE) {
                pieces.add(new byte[PIECE]);
                last = 0;
            }
            final int some = Math.min(left, PIECE - last);
            System.arraycopy(content, at, pieces.get(pieces.size() - 1), last, some);
            at += some;
            left -= some;
            last += some;
        }
        size += count;
    }

    long size() {
        return size;
    }

    /** Heap that it takes. */
    long memory() {
        return (long) pieces.size() * PIECE;
    }

    /** All of it from the beginning; may be asked for again. */
    InputStream stream() {
        final List<InputStream> found = new ArrayList<>();
        for (int at = 0; at < pieces.size(); at++) {
            found.add(new ByteArrayInputStream(pieces.get(at), 0, at == pieces.size() - 1 ? last : PIECE));
        }
        return new SequenceInputStream(Collections.enumeration(found));
    }
}

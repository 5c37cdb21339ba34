package kafkaferry.connect.s3;

import java.util.zip.Deflater;

/** Deflates one block after the other; its own memory is outside of the heap, so a task has one for all its open objects. */
final class Packer implements AutoCloseable {
    private final Deflater deflater = new Deflater(1, true);
    private final byte[] piece = new byte[16 * 1024];

    /** A block as a stream of its own. */
    Bytes whole(Bytes block) {
        return packed(block, Deflater.NO_FLUSH);
    }

    /** A block as a part of a longer stream, which ends at a byte and looks back at no other. */
    Bytes part(Bytes block) {
        return packed(block, Deflater.SYNC_FLUSH);
    }

    private Bytes packed(Bytes block, int flush) {
        final Bytes packed = new Bytes(block.size() / 2 + 64);
        deflater.reset();
        deflater.setInput(block.array(), 0, block.size());
        if (flush == Deflater.NO_FLUSH) {
            deflater.finish();
        }
        int some;
        do {
            some = deflater.deflate(piece, 0, piece.length, flush);
            packed.write(piece, 0, some);
        } while (flush == Deflater.NO_FLUSH ? !deflater.finished() : some == piece.length);
        return packed;
    }

    @Override
    public void close() {
        deflater.end();
    }
}

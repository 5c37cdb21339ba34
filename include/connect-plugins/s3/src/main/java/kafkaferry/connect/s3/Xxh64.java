package kafkaferry.connect.s3;

/** XXH64 (github.com/Cyan4973/xxHash, doc/xxhash_spec.md): of bytes at once, and of numbers that come one by one. */
final class Xxh64 {
    private static final long P1 = 0x9E3779B185EBCA87L;
    private static final long P2 = 0xC2B2AE3D27D4EB4FL;
    private static final long P3 = 0x165667B19E3779F9L;
    private static final long P4 = 0x85EBCA77C2B2AE63L;
    private static final long P5 = 0x27D4EB2F165667C5L;

    private final long[] lanes = {P1 + P2, P2, 0, -P1};
    private final long[] stripe = new long[4];
    private long numbers;

    /** The hash of some bytes. */
    static long of(byte[] data, int begin, int size, long seed) {
        int at = begin;
        final int end = begin + size;
        long hash;
        if (size >= 32) {
            long a = seed + P1 + P2;
            long b = seed + P2;
            long c = seed;
            long d = seed - P1;
            for (; at <= end - 32; at += 32) {
                a = round(a, eight(data, at));
                b = round(b, eight(data, at + 8));
                c = round(c, eight(data, at + 16));
                d = round(d, eight(data, at + 24));
            }
            hash = merged(a, b, c, d);
        } else {
            hash = seed + P5;
        }
        hash += size;
        for (; at <= end - 8; at += 8) {
            hash = Long.rotateLeft(hash ^ round(0, eight(data, at)), 27) * P1 + P4;
        }
        if (at <= end - 4) {
            hash = Long.rotateLeft(hash ^ four(data, at) * P1, 23) * P2 + P3;
            at += 4;
        }
        for (; at < end; at++) {
            hash = Long.rotateLeft(hash ^ (data[at] & 255) * P5, 11) * P1;
        }
        return avalanche(hash);
    }

    static long of(byte[] data, long seed) {
        return of(data, 0, data.length, seed);
    }

    /** Takes one number, as eight bytes, little-endian; the seed is 0. */
    void add(long number) {
        stripe[(int) (numbers++ & 3)] = number;
        if ((numbers & 3) == 0) {
            for (int lane = 0; lane < 4; lane++) {
                lanes[lane] = round(lanes[lane], stripe[lane]);
            }
        }
    }

    /** The hash of all numbers so far. */
    long digest() {
        long hash = numbers >= 4 ? merged(lanes[0], lanes[1], lanes[2], lanes[3]) : P5;
        hash += numbers * 8;
        for (int at = 0; at < (numbers & 3); at++) {
            hash = Long.rotateLeft(hash ^ round(0, stripe[at]), 27) * P1 + P4;
        }
        return avalanche(hash);
    }

    private static long round(long lane, long input) {
        return Long.rotateLeft(lane + input * P2, 31) * P1;
    }

    private static long merged(long a, long b, long c, long d) {
        long hash = Long.rotateLeft(a, 1) + Long.rotateLeft(b, 7) + Long.rotateLeft(c, 12) + Long.rotateLeft(d, 18);
        for (long lane : new long[] {a, b, c, d}) {
            hash = (hash ^ round(0, lane)) * P1 + P4;
        }
        return hash;
    }

    private static long avalanche(long hash) {
        long mixed = (hash ^ hash >>> 33) * P2;
        mixed = (mixed ^ mixed >>> 29) * P3;
        return mixed ^ mixed >>> 32;
    }

    private static long eight(byte[] data, int at) {
        return four(data, at) | four(data, at + 4) << 32;
    }

    private static long four(byte[] data, int at) {
        return data[at] & 255L | (data[at + 1] & 255L) << 8 | (data[at + 2] & 255L) << 16 | (data[at + 3] & 255L) << 24;
    }
}

package kafkaferry.connect.s3;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.nio.charset.StandardCharsets;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** Values are those of Python's xxhash and json, and of records/record_hash.py. */
class HashesTest {
    private static String xxh64(int size, long seed) {
        final byte[] data = new byte[size];
        for (int at = 0; at < size; at++) {
            data[at] = (byte) (at * 7 + 3);
        }
        return Fingerprint.hex(Xxh64.of(data, seed));
    }

    @Test
    void bytesOfEveryLength() {
        assertEquals("ef46db3751d8e999", xxh64(0, 0));
        assertEquals("610f93f8c89889fe", xxh64(1, 1));
        assertEquals("31d2363f52e564c9", xxh64(3, 0));
        assertEquals("8e0e5dcb6e4c4a2e", xxh64(4, 5));
        assertEquals("dab99d95c6f90092", xxh64(8, 0));
        assertEquals("931df7ff3b1d1e4a", xxh64(31, -1));
        assertEquals("23c3c17ef790fd97", xxh64(32, 0));
        assertEquals("3d2b8606a6e21b67", xxh64(33, 9));
        assertEquals("5e3e54b431c7493c", xxh64(63, 0));
        assertEquals("b0844e84389e89e0", xxh64(100, 77));
        assertEquals("200c020279970786", xxh64(200, Long.MIN_VALUE));
    }

    @Test
    void numbersOneByOne() {
        final Map<Integer, String> expected = Map.of(0, "ef46db3751d8e999", 1, "9f29cb17a2a49995", 3, "8799e152e5c0cdfa", 4,
            "73f859a04f669e6d", 5, "bc50ebd6bc8fa148", 9, "7baf501f77d78047");
        expected.forEach((count, digest) -> {
            final Xxh64 own = new Xxh64();
            for (long number = 1; number <= count; number++) {
                own.add(number);
            }
            assertEquals(digest, Fingerprint.hex(own.digest()));
            assertEquals(digest, Fingerprint.hex(own.digest()), "asked twice");
        });
    }

    private static byte[] bytes(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }

    @Test
    void recordsWithAllThatTheyMayHave() {
        final Entry full = new Entry(5, 1700000000000L, 1, bytes("k"), bytes("v"));
        full.header("a", bytes("1"));
        full.header("a", null);
        full.header("", new byte[0]);
        full.header("é😀", new byte[] {-1});
        assertEquals("83855d1b4889684c", Fingerprint.hex(full.hash()));
        assertEquals("d7aadf847dcbfe43", Fingerprint.hex(new Entry(5, -1, 0, null, null).hash()));
        assertEquals("32b7d7db8f05a224", Fingerprint.hex(new Entry(5, 0, 1, new byte[0], new byte[0]).hash()));
        final Entry large = new Entry(5, 1, 1, null, bytes("v".repeat(70)));
        large.header("n".repeat(200), bytes("x".repeat(300)));
        assertEquals("539a65914c1c7275", Fingerprint.hex(large.hash()));
    }

    @Test
    void digestsAreOfTheTextThatPythonWrites() throws Exception {
        final String given = "{\"l\": [], \"e\": {}, \"b\": [1, null, true, 1.5e-05, -2], "
            + "\"a\": {\"\\ud800\\udc00\": 2, \"\\uffff\": 1, \"é😀\": \"x\\n\\t\\u007f\\\"\\\\\\u0001\"}}";
        assertEquals("c4e3a8fec951f3443a35dbca231a41e81a35a0733e63dd6db6e7174aaf46a110",
            Json.sha256(Json.canonical(Json.parse(given.getBytes(StandardCharsets.UTF_8)))));
    }
}

package kafkaferry.connect.s3;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.zip.GZIPOutputStream;
import org.junit.jupiter.api.Test;

class ObjectsTest {
    private static final Map<String, Object> ABOUT = Map.of("topic", "t", "partition", 3L);

    static List<Entry> nasty() {
        final List<Entry> found = new ArrayList<>();
        final Random random = new Random(1);
        final byte[][] parts = {null, {}, {0, -1, 10, 13}, "ü😀".getBytes(StandardCharsets.UTF_8)};
        long offset = 7;
        for (byte[] key : parts) {
            for (byte[] value : parts) {
                final Entry plain = new Entry(offset++, -1, 0, key, value);
                final Entry full = new Entry(offset += 3, 1_700_000_000_000L, 2, key, value);
                for (byte[] content : parts) {
                    full.header("é😀", content);
                    full.header("", content);
                }
                found.add(plain);
                found.add(full);
            }
        }
        final byte[] large = new byte[300_000];
        random.nextBytes(large);
        found.add(new Entry(offset + 10, 1, 1, large, large));
        return found;
    }

    private static byte[] written(List<Entry> entries) throws Exception {
        final ByteArrayOutputStream sink = new ByteArrayOutputStream();
        try (AvroWriter.Packer packer = new AvroWriter.Packer()) {
            final AvroWriter writer = new AvroWriter(sink, packer, "t", 3, ABOUT);
            for (Entry entry : entries) {
                writer.add(entry);
            }
            writer.flush();
        }
        return sink.toByteArray();
    }

    private static List<Entry> read(byte[] data) throws Exception {
        final List<Entry> found = new ArrayList<>();
        try (AvroReader reader = new AvroReader(new ByteArrayInputStream(data), "x", "t", 3)) {
            for (Entry one = reader.next(); one != null; one = reader.next()) {
                found.add(one);
            }
        }
        return found;
    }

    private static void assertSame(List<Entry> expected, List<Entry> actual) {
        assertEquals(expected.size(), actual.size());
        for (int at = 0; at < expected.size(); at++) {
            final Entry one = expected.get(at);
            final Entry other = actual.get(at);
            assertEquals(one.offset, other.offset);
            assertEquals(one.timestamp, other.timestamp);
            assertEquals(one.timestampType, other.timestampType);
            assertArrayEquals(one.key, other.key);
            assertArrayEquals(one.value, other.value);
            assertEquals(one.headerNames, other.headerNames);
            assertArrayEquals(one.headerValues.toArray(), other.headerValues.toArray());
            assertEquals(one.hash(), other.hash());
        }
    }

    @Test
    void avroKeepsAll() throws Exception {
        assertSame(nasty(), read(written(nasty())));
        assertArrayEquals(written(nasty()), written(nasty()), "the same records make the same bytes");
    }

    @Test
    void aCutObjectIsDamagedWhereverItIsCut() throws Exception {
        final byte[] whole = written(nasty().subList(0, 8));
        int complete = 0;
        for (int size = 0; size < whole.length; size++) {
            final byte[] cut = java.util.Arrays.copyOf(whole, size);
            try {
                assertTrue(read(cut).isEmpty(), "records of a part of the only block");
                complete++; // the header alone is a file without records
            } catch (DamagedObject | java.io.IOException expected) {
                // it is told
            }
        }
        assertEquals(1, complete);
    }

    @Test
    void bytesThatAreNoneOfOursEndInAnError() throws Exception {
        final byte[] whole = written(nasty().subList(0, 8));
        final List<Entry> entries = nasty().subList(0, 8);
        final Random random = new Random(2);
        for (int round = 0; round < 3000; round++) {
            final byte[] other = whole.clone();
            for (int times = 1 + random.nextInt(3); times > 0; times--) {
                other[random.nextInt(other.length)] = (byte) random.nextInt();
            }
            try {
                assertTrue(read(other).size() <= 8 * entries.size());
            } catch (DamagedObject | java.io.IOException expected) {
                // and nothing else: no loop, no OutOfMemoryError
            }
        }
    }

    @Test
    void anObjectOfAnotherPartitionIsRefused() throws Exception {
        final byte[] data = written(nasty());
        assertThrows(DamagedObject.class, () -> new AvroReader(new ByteArrayInputStream(data), "x", "t", 4));
        assertThrows(DamagedObject.class, () -> new AvroReader(new ByteArrayInputStream(data), "x", "u", 3));
    }

    @Test
    void jsonLinesAsExportsHaveThem() throws Exception {
        final ByteArrayOutputStream sink = new ByteArrayOutputStream();
        try (GZIPOutputStream file = new GZIPOutputStream(sink)) {
            file.write(("{\"topic\":\"t\",\"partition\":3,\"offset\":7,\"timestamp\":-1,\"timestamp_type\":\"NoTimestampType\",\"key\":null,"
                + "\"key_encoding\":null,\"value\":\"AP8=\",\"value_encoding\":\"base64\",\"headers\":[{\"key\":\"é\",\"value\":\"\","
                + "\"encoding\":\"utf8\"},{\"key\":\"é\",\"value\":null,\"encoding\":null}]}\n").getBytes(StandardCharsets.UTF_8));
        }
        try (JsonLinesReader reader = new JsonLinesReader(new ByteArrayInputStream(sink.toByteArray()), "x", "t", 3)) {
            final Entry expected = new Entry(7, -1, 0, null, new byte[] {0, -1});
            expected.header("é", new byte[0]);
            expected.header("é", null);
            assertSame(List.of(expected), List.of(reader.next()));
            assertNull(reader.next());
        }
        final byte[] cut = java.util.Arrays.copyOf(sink.toByteArray(), sink.size() - 20);
        try (JsonLinesReader reader = new JsonLinesReader(new ByteArrayInputStream(cut), "x", "t", 3)) {
            assertThrows(DamagedObject.class, () -> {
                while (reader.next() != null) {
                    // to its end
                }
            });
        }
    }

    @Test
    void largeObjectsGoInPartsAndSmallOnesInOne() {
        final MemoryStore store = new MemoryStore();
        final ObjectSink sink = new ObjectSink(store, "k", Config.SMALLEST_PART);
        final byte[] piece = new byte[100_000];
        new Random(3).nextBytes(piece);
        for (int at = 0; at < 120; at++) {
            sink.write(piece, 0, piece.length);
            assertTrue(sink.memory() <= Config.SMALLEST_PART + 2 * piece.length, "only one part is held");
        }
        assertFalse(store.objects.containsKey("k"), "nothing is there before it is complete");
        final String sha256 = sink.complete();
        assertEquals(3, store.parts);
        assertEquals(12_000_000, store.objects.get("k").length);
        assertEquals(Json.sha256(store.objects.get("k")), sha256);

        final ObjectSink small = new ObjectSink(store, "s", Config.SMALLEST_PART);
        small.write(1);
        small.complete();
        assertEquals(3, store.parts);
        assertArrayEquals(new byte[] {1}, store.objects.get("s"));
    }

    @Test
    void onlyAnObjectsOwnKeyIsTaken() {
        final String sha256 = "0123456789abcdef".repeat(4);
        final String place = "e/data/a.b/x_y-z/000003/00000000000000000007";
        for (String good : List.of(place + ".avro", place + "-0123456789abcdef.avro", place + "-0123456789abcdef.jsonl.gz")) {
            assertTrue(Layout.isOwn(good, "e", "a.b", "x/y+z", 3, 7, sha256), good);
        }
        for (String bad : List.of(place, place + ".exe", place + "-1123456789abcdef.avro", "x" + place + ".avro", "/etc/passwd",
            place.replace("e/", "../") + ".avro", place + "/../../a.avro")) {
            assertFalse(Layout.isOwn(bad, "e", "a.b", "x/y+z", 3, 7, sha256), bad);
        }
        assertEquals(place + ".avro", Layout.segment("e", "a.b", "x/y+z", 3, 7));
    }
}

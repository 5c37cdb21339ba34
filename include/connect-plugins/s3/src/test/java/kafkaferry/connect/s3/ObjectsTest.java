package kafkaferry.connect.s3;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.zip.GZIPInputStream;
import java.util.zip.GZIPOutputStream;
import org.apache.kafka.connect.errors.ConnectException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class ObjectsTest {
    private static final Map<String, Object> ABOUT = Map.of("topic", "t", "partition", 3L);

    @TempDir
    Path folder;

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

    private static byte[] written(Format format, List<Entry> entries) throws Exception {
        final ByteArrayOutputStream sink = new ByteArrayOutputStream();
        try (Packer packer = new Packer()) {
            final RecordWriter writer = format.writer(sink, packer, "t", 3, ABOUT);
            for (Entry entry : entries) {
                writer.add(entry);
            }
            writer.finish();
        }
        return sink.toByteArray();
    }

    private List<Entry> read(Format format, byte[] data) throws Exception {
        final Path file = Files.write(folder.resolve("object"), data);
        final List<Entry> found = new ArrayList<>();
        try (RecordReader reader = Format.reader("x" + format.ending, file, "t", 3)) {
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

    @ParameterizedTest
    @EnumSource(Format.class)
    void allIsKept(Format format) throws Exception {
        assertSame(nasty(), read(format, written(format, nasty())));
        assertArrayEquals(written(format, nasty()), written(format, nasty()), "the same records make the same bytes");
        assertSame(List.of(), read(format, written(format, List.of())));
    }

    /** Of several blocks or row groups, so that what follows on one another is seen. */
    @ParameterizedTest
    @EnumSource(Format.class)
    void longObjectsAreKeptAndTakeLittleMemory(Format format) throws Exception {
        final Random random = new Random(4);
        final List<Entry> entries = new ArrayList<>();
        for (int at = 0; at < 1200; at++) {
            final byte[] value = new byte[random.nextInt(20_000)];
            random.nextBytes(value);
            entries.add(new Entry(at, at, 1, new byte[] {(byte) at}, value));
            entries.get(at).header("h", value);
        }
        final ByteArrayOutputStream sink = new ByteArrayOutputStream();
        long most = 0;
        try (Packer packer = new Packer()) {
            final RecordWriter writer = format.writer(sink, packer, "t", 3, ABOUT);
            for (Entry entry : entries) {
                writer.add(entry);
                most = Math.max(most, writer.waiting());
            }
            writer.finish();
        }
        assertTrue(sink.size() > 2 * ParquetObjectWriter.ROW_GROUP_BYTES, "longer than one row group");
        assertTrue(most < 1.5 * ParquetObjectWriter.ROW_GROUP_BYTES, "it held " + most);
        assertSame(entries, read(format, sink.toByteArray()));
    }

    @ParameterizedTest
    @EnumSource(Format.class)
    void aCutObjectIsDamagedWhereverItIsCut(Format format) throws Exception {
        final byte[] whole = written(format, nasty().subList(0, 8));
        int complete = 0;
        for (int size = 0; size < whole.length; size++) {
            final byte[] cut = Arrays.copyOf(whole, size);
            try {
                assertTrue(read(format, cut).isEmpty(), "records of a part of the only block");
                complete++; // Avro's header alone is a file without records
            } catch (DamagedObject | IOException expected) {
                // it is told
            }
        }
        assertEquals(format == Format.AVRO ? 1 : 0, complete);
    }

    @ParameterizedTest
    @EnumSource(Format.class)
    void bytesThatAreNoneOfOursEndInAnError(Format format) throws Exception {
        final List<Entry> entries = nasty().subList(0, 8);
        final byte[] whole = written(format, entries);
        final Random random = new Random(2);
        for (int round = 0; round < 3000; round++) {
            final byte[] other = whole.clone();
            for (int times = 1 + random.nextInt(3); times > 0; times--) {
                other[random.nextInt(other.length)] = (byte) random.nextInt();
            }
            try {
                assertTrue(read(format, other).size() <= 8 * entries.size());
            } catch (DamagedObject | IOException expected) {
                // and nothing else: no loop, no OutOfMemoryError
            }
        }
    }

    @ParameterizedTest
    @EnumSource(Format.class)
    void anObjectOfAnotherPartitionIsRefused(Format format) throws Exception {
        final Path file = Files.write(folder.resolve("object"), written(format, nasty()));
        for (Cluster.Place other : List.of(new Cluster.Place("t", 4), new Cluster.Place("u", 3))) {
            assertThrows(DamagedObject.class, () -> {
                try (RecordReader reader = Format.reader("x" + format.ending, file, other.topic, other.partition)) {
                    reader.next();
                }
            });
        }
    }

    @Test
    void anObjectOfAnUnknownFormatIsRefused() {
        assertThrows(ConnectException.class, () -> Format.reader("x.orc", folder.resolve("object"), "t", 3));
        assertThrows(IllegalArgumentException.class, () -> Format.of("orc"));
    }

    /** Any gunzip reads it, and the lines are those of the exports. */
    @Test
    void jsonLinesAsExportsWriteThem() throws Exception {
        final Entry entry = new Entry(7, -1, 0, null, new byte[] {0, -1});
        entry.header("\u00e9", "a\n\u00fc".getBytes(StandardCharsets.UTF_8));
        entry.header("", null);
        try (GZIPInputStream lines = new GZIPInputStream(new ByteArrayInputStream(written(Format.JSON_LINES, List.of(entry, entry))))) {
            final String line = "{\"topic\":\"t\",\"partition\":3,\"offset\":7,\"timestamp\":-1,\"timestamp_type\":\"NoTimestampType\","
                + "\"key\":null,\"key_encoding\":null,\"value\":\"AP8=\",\"value_encoding\":\"base64\",\"headers\":[{\"key\":\"\u00e9\","
                + "\"value\":\"a\\n\u00fc\",\"encoding\":\"utf8\"},{\"key\":\"\",\"value\":null,\"encoding\":null}]}\n";
            assertEquals(line + line, new String(lines.readAllBytes(), StandardCharsets.UTF_8));
        }
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
        final byte[] cut = Arrays.copyOf(sink.toByteArray(), sink.size() - 20);
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
        assertEquals(place + ".avro", Layout.segment("e", "a.b", "x/y+z", 3, 7, Format.AVRO));
    }
}

package kafkaferry.connect.s3;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.ByteArrayInputStream;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.apache.kafka.connect.errors.ConnectException;
import org.junit.jupiter.api.Test;

class SegmentWriterTest {
    private static final Cluster.Place PLACE = new Cluster.Place("t", 0);
    private static final Instant NOON = Instant.parse("2026-11-21T12:00:00Z");
    private static final int PART = Config.SMALLEST_PART;

    private final MemoryStore store = new MemoryStore();
    private final FixedCluster cluster = new FixedCluster().with("t", "a/b+", 2);
    private long now;

    private SegmentWriter writer(int records, long bytes, long age, long memory, int open) {
        return new SegmentWriter(store, cluster, "e", Format.AVRO,
            new SegmentWriter.Limits(records, bytes, age, PART, memory, open), () -> now);
    }

    private SegmentWriter writer(int records) {
        final SegmentWriter found = writer(records, 1 << 30, 60_000, 1 << 30, 100);
        found.begin(List.of(PLACE));
        return found;
    }

    private ManifestWriter manifests() {
        return new ManifestWriter(store, cluster, "e", "read_committed", "t"::equals);
    }

    private static Entry entry(long offset) {
        return new Entry(offset, 1000 + offset, 1, null, ("v" + offset).getBytes());
    }

    private static void add(SegmentWriter writer, long begin, long end) {
        for (long offset = begin; offset < end; offset++) {
            writer.add(PLACE, entry(offset));
        }
    }

    private static String key(long begin) {
        return Layout.segment("e", "t", "a/b+", 0, begin, Format.AVRO);
    }

    private List<String> data() {
        final List<String> found = new ArrayList<>();
        store.list("e/data/", null).forEach(one -> found.add(one.key));
        return found;
    }

    private List<Long> offsets() throws Exception {
        final List<Long> found = new ArrayList<>();
        for (String key : data()) {
            try (AvroReader reader = new AvroReader(new ByteArrayInputStream(store.objects.get(key)), key, "t", 0)) {
                for (Entry one = reader.next(); one != null; one = reader.next()) {
                    found.add(one.offset);
                }
            }
        }
        return found;
    }

    private static List<Long> range(long begin, long end) {
        final List<Long> found = new ArrayList<>();
        for (long offset = begin; offset < end; offset++) {
            found.add(offset);
        }
        return found;
    }

    @Test
    void objectsEndAtMultiplesOfTheLimitWhereverTheyBegin() {
        cluster.starts.put(PLACE, 7L);
        final SegmentWriter writer = writer(10);
        add(writer, 7, 25);
        assertEquals(List.of(key(7), key(10)), data());
        assertEquals(Map.of(PLACE, 20L), writer.stored());
        writer.endAll();
        add(writer, 25, 31);
        assertEquals(List.of(key(7), key(10), key(20), key(25)), data());
        assertEquals(Map.of(PLACE, 30L), writer.stored());
    }

    @Test
    void whatComesAgainIsNotWrittenAgain() throws Exception {
        final SegmentWriter first = writer(10);
        add(first, 0, 25);
        first.endAll();
        final Map<String, byte[]> before = Map.copyOf(store.objects);
        // Killed before the worker committed anything: it is told to go on behind what is there.
        final SegmentWriter second = writer(10);
        assertEquals(25, second.next(PLACE));
        second.endAll();
        assertEquals(before.keySet(), store.objects.keySet());
        add(second, 25, 40);
        assertEquals(range(0, 40), offsets());
    }

    @Test
    void aLogThatWasCutIsToldAndNotPassedOver() {
        final SegmentWriter first = writer(10);
        add(first, 0, 25);
        first.endAll();
        final ConnectException again = assertThrows(ConnectException.class, () -> first.add(PLACE, entry(20)));
        assertTrue(again.getMessage().contains("reach to 25"), again.getMessage());
        cluster.ends.put(PLACE, 24L);
        final ConnectException cut = assertThrows(ConnectException.class, () -> writer(10));
        assertTrue(cut.getMessage().contains("t-0: its log is at offset 24"), cut.getMessage());
        cluster.ends.put(PLACE, 25L);
        assertEquals(25, writer(10).next(PLACE));
    }

    @Test
    void anObjectWithoutItsNoteIsWrittenAgainUnderTheSameKey() throws Exception {
        final SegmentWriter first = writer(10);
        add(first, 0, 10);
        store.broken = "journal";
        add(first, 10, 14);
        assertThrows(ConnectException.class, first::endAll);
        store.broken = null;
        assertEquals(List.of(key(0), key(10)), data());
        final SegmentWriter second = writer(10);
        assertEquals(10, second.next(PLACE));
        add(second, 10, 20);
        assertEquals(List.of(key(0), key(10)), data());
        assertEquals(range(0, 20), offsets());
    }

    @Test
    void aFailedObjectIsNotThereAndNothingIsCommitted() {
        final SegmentWriter writer = writer(10);
        add(writer, 0, 9);
        store.broken = "data";
        assertThrows(ConnectException.class, () -> add(writer, 9, 10));
        assertEquals(Map.of(PLACE, 0L), writer.stored());
        writer.drop(List.of(PLACE));
        assertTrue(store.objects.isEmpty());
    }

    @Test
    void whoStoodStillWhileAnotherTookOverWritesNothing() throws Exception {
        final SegmentWriter still = writer(1000);
        add(still, 0, 5);
        still.check();
        final SegmentWriter other = writer(1000);
        add(other, 0, 8);
        other.endAll();
        assertTrue(assertThrows(ConnectException.class, still::endAll).getMessage().contains("another task"));
        manifests().declare(NOON); // the note is gone
        assertThrows(ConnectException.class, still::check);
        still.drop(List.of(PLACE));
        assertEquals(range(0, 8), offsets());
        other.check();
    }

    @Test
    void timeEndsObjectsWithoutNewRecords() {
        final SegmentWriter writer = writer(1000);
        add(writer, 0, 3);
        now = 59_999;
        writer.endOld();
        assertTrue(data().isEmpty());
        now = 60_000;
        writer.endOld();
        assertEquals(List.of(key(0)), data());
        assertEquals(Map.of(PLACE, 3L), writer.stored());
    }

    @Test
    void memoryIsBounded() throws Exception {
        final long limit = 8L * 1024 * 1024;
        final SegmentWriter writer = writer(1_000_000, 1 << 30, 60_000, limit, 100);
        final List<Cluster.Place> places = List.of(PLACE, new Cluster.Place("t", 1));
        writer.begin(places);
        final Random random = new Random(5);
        for (long offset = 0; offset < 400; offset++) {
            for (Cluster.Place place : places) {
                final byte[] value = new byte[100_000];
                random.nextBytes(value);
                writer.add(place, new Entry(offset, 1, 1, null, value));
                assertTrue(writer.memory() <= limit, writer.memory() + " bytes");
            }
        }
        assertTrue(store.parts > 4, "large ones went on in parts");
        writer.endAll();
        assertEquals(0, writer.memory());
        assertEquals(Map.of(PLACE, 400L, places.get(1), 400L), writer.stored());
    }

    @Test
    void soManyObjectsAreOpenAtMost() {
        cluster.with("t", "a/b+", 10);
        final SegmentWriter writer = writer(1000, 1 << 30, 60_000, 1 << 30, 3);
        final List<Cluster.Place> places = new ArrayList<>();
        for (int number = 0; number < 10; number++) {
            places.add(new Cluster.Place("t", number));
        }
        writer.begin(places);
        for (Cluster.Place place : places) {
            writer.add(place, entry(0));
            assertTrue(writer.openObjects() <= 3);
        }
        assertEquals(7, data().size());
        writer.drop(places);
        assertEquals(0, writer.memory());
    }

    @Test
    void gapsSayWhy() {
        cluster.starts.put(PLACE, 2L);
        final SegmentWriter writer = writer(100);
        writer.add(PLACE, entry(4));
        cluster.starts.put(PLACE, 5L);
        writer.add(PLACE, entry(8));
        writer.add(PLACE, entry(120)); // the object before ends at the edge, without a record there
        writer.endAll();
        final List<Note> notes = Note.all(store, "e");
        assertEquals(List.of(2L, 100L), List.of(notes.get(0).begin, notes.get(1).begin));
        assertEquals(List.of(100L, 121L), List.of(notes.get(0).end, notes.get(1).end));
        assertEquals(List.of(Segment.gap(2, 4, "retention"), Segment.gap(5, 8, "transaction"), Segment.gap(9, 100, "transaction")),
            notes.get(0).segment.get("gaps"));
        assertEquals(96L, notes.get(0).segment.get("missing"));
        assertEquals(2L, notes.get(0).segment.get("records"));
    }

    @Test
    void sparseTopicsMakeNoObjectPerRecord() {
        final SegmentWriter writer = writer(10);
        for (long offset = 5; offset < 4000; offset += 7) {
            writer.add(PLACE, entry(offset));
        }
        assertTrue(data().size() <= 400, data().size() + " objects");
    }

    @Test
    void aRecordOfNobodysPartitionIsRefused() {
        final SegmentWriter writer = writer(10);
        final ConnectException error = assertThrows(ConnectException.class, () -> writer.add(new Cluster.Place("renamed", 0), entry(0)));
        assertTrue(error.getMessage().contains("transforms"), error.getMessage());
        assertThrows(ConnectException.class, () -> writer.begin(List.of(new Cluster.Place("absent", 0))));
    }

    @Test
    void manifestsContinueOneAnother() {
        cluster.starts.put(PLACE, 5L);
        final SegmentWriter writer = writer(10);
        assertNull(manifests().declare(NOON));
        add(writer, 5, 12);
        final String first = manifests().declare(NOON);
        assertEquals("sink-20261121T120000000Z", first);
        assertTrue(store.list("e/journal/", null).isEmpty(), "notes are not needed any more");
        assertNull(manifests().declare(NOON.plusSeconds(1)), "nothing new");
        writer.endAll();
        add(writer, 12, 20);
        final String second = manifests().declare(NOON.plusSeconds(2));
        final Map<String, Object> manifest = Manifests.read(store, "e", Layout.manifest("e", second));
        assertEquals(first, manifest.get("parent"));
        assertEquals("incremental", manifest.get("mode"));
        final List<Map<String, Object>> partitions = Manifests.list(Manifests.list(manifest, "topics").get(0), "partitions");
        assertEquals(2, partitions.size());
        assertEquals(List.of(10L, 20L), List.of(partitions.get(0).get("begin"), partitions.get(0).get("end")));
        assertEquals(List.of(0L, 0L), List.of(partitions.get(1).get("begin"), partitions.get(1).get("end")));
        final Map<String, Object> full = Manifests.read(store, "e", Layout.manifest("e", first));
        assertEquals(List.of(Segment.gap(0, 5, "retention")),
            Manifests.list(Manifests.list(full, "topics").get(0), "partitions").get(0).get("gaps"));
        // A task that begins now finds no notes, and goes on behind the manifest.
        assertEquals(20, writer(10).next(PLACE));
    }

    @Test
    void aPartitionThatBeginsLaterSaysWhatWasGone() {
        final Cluster.Place other = new Cluster.Place("t", 1);
        add(writer(10), 0, 10);
        manifests().declare(NOON);
        cluster.starts.put(other, 30L);
        final SegmentWriter writer = writer(10, 1 << 30, 60_000, 1 << 30, 100);
        writer.begin(List.of(other));
        writer.add(other, entry(30));
        writer.endAll();
        final String id = manifests().declare(NOON.plusSeconds(1));
        final Map<String, Object> manifest = Manifests.read(store, "e", Layout.manifest("e", id));
        final Map<String, Object> partition = Manifests.list(Manifests.list(manifest, "topics").get(0), "partitions").get(1);
        assertEquals(List.of(30L, 31L), List.of(partition.get("begin"), partition.get("end")));
        assertEquals(List.of(Segment.gap(0, 30, "retention")), partition.get("gaps"));
    }

    @Test
    void aMissingNoteIsNoHoleThatIsPassedOver() {
        final SegmentWriter writer = writer(10);
        add(writer, 0, 30);
        store.objects.remove(Layout.note("e", "t", "a/b+", 0, 10));
        final ConnectException error = assertThrows(ConnectException.class, () -> manifests().declare(NOON));
        assertTrue(error.getMessage().contains("reach to offset 10"), error.getMessage());
    }

    @Test
    void aRecreatedTopicBeginsAgainBesideTheOldOne() throws Exception {
        add(writer(10), 0, 10);
        manifests().declare(NOON);
        cluster.with("t", "c", 2);
        final SegmentWriter writer = writer(10);
        assertEquals(0, writer.next(PLACE));
        add(writer, 0, 10);
        final String id = manifests().declare(NOON.plusSeconds(1));
        final Map<String, Object> topic = Manifests.list(Manifests.read(store, "e", Layout.manifest("e", id)), "topics").get(0);
        assertEquals(List.of("c", "a/b+"), List.of(topic.get("topic_id"), topic.get("recreated")));
        assertEquals(2, data().size());
    }

    @Test
    void aClockThatWasSetBackWritesNoManifestBeforeTheLast() {
        final SegmentWriter writer = writer(10);
        add(writer, 0, 10);
        manifests().declare(NOON);
        add(writer, 10, 20);
        assertThrows(ConnectException.class, () -> manifests().declare(NOON));
    }

    @Test
    void aDamagedManifestIsNotRead() {
        add(writer(10), 0, 10);
        final String key = Layout.manifest("e", manifests().declare(NOON));
        final byte[] good = store.objects.get(key);
        final String text = new String(good);
        store.objects.put(key, text.replace("\"records\":10", "\"records\":11").getBytes());
        assertThrows(DamagedObject.class, () -> Manifests.read(store, "e", key));
        store.objects.put(key, text.substring(1).getBytes());
        assertThrows(DamagedObject.class, () -> Manifests.read(store, "e", key));
        store.objects.put(key, good);
        assertTrue(Manifests.isComplete(Manifests.read(store, "e", key)));
        assertFalse(Manifests.isComplete(Map.of("state", "IN_PROGRESS")));
    }

    @Test
    void theSameRecordsMakeTheSameObject() {
        add(writer(10), 0, 10);
        final byte[] first = store.objects.get(key(0));
        store.objects.clear();
        add(writer(10), 0, 10);
        assertArrayEquals(first, store.objects.get(key(0)));
    }
}

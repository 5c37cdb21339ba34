package kafkaferry.connect.s3;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.apache.kafka.connect.errors.ConnectException;
import org.junit.jupiter.api.Test;

class BacklogTest {
    private final MemoryStore store = new MemoryStore();
    private final Map<String, Long> read = new HashMap<>();
    private final Backlog backlog = new Backlog(store, "e", name -> !name.equals("other"), (name, partition) -> true,
        (topic, id, partition) -> read.getOrDefault(topic + id + partition, -1L));

    private static Map<String, Object> segment(String id, long begin, long end) {
        final Map<String, Object> found = new TreeMap<>();
        found.put("begin", begin);
        found.put("end", end);
        found.put("key", Layout.segment("e", "t", id, 0, begin, Format.AVRO));
        found.put("records", end - begin);
        found.put("size", 100L);
        found.put("sha256", "0".repeat(64));
        return found;
    }

    private void manifest(String id, String state, String topicId, List<Object> gaps, Object... segments) {
        final Map<String, Object> partition = new TreeMap<>();
        partition.put("partition", 0L);
        partition.put("segments", List.of(segments));
        partition.put("gaps", gaps);
        final Map<String, Object> topic = new TreeMap<>();
        topic.put("name", "t");
        topic.put("topic_id", topicId);
        topic.put("partitions", List.of(partition));
        final Map<String, Object> found = new TreeMap<>();
        found.put("schema", Manifests.SCHEMA);
        found.put("backup", "e");
        found.put("backup_id", id);
        found.put("state", state);
        found.put("created", "2026-11-21T12:00:0" + id + "+00:00");
        found.put("topics", List.of(topic));
        store.objects.put(Layout.manifest("e", id), Manifests.written(found));
    }

    private List<Long> order() {
        final List<Long> found = new ArrayList<>();
        for (Backlog.Partition partition : backlog.partitions()) {
            for (Backlog.Line line = partition.next(); line != null; line = partition.next()) {
                found.add(line.begin);
                partition.position = line.end;
            }
        }
        return found;
    }

    @Test
    void objectsInTheOrderOfTheirOffsetsAsTheyAppear() {
        manifest("1", "COMPLETE", "a", List.of(), segment("a", 0, 10), segment("a", 10, 20));
        manifest("2", "IN_PROGRESS", "a", List.of(), segment("a", 20, 30));
        backlog.refresh();
        assertEquals(List.of(0L, 10L), order());
        manifest("2", "COMPLETE", "a", List.of(), segment("a", 20, 30));
        backlog.refresh();
        assertEquals(List.of(20L), order());
        backlog.refresh();
        assertEquals(List.of(), order());
    }

    @Test
    void itGoesOnInTheMiddleOfAnObject() {
        read.put("ta0", 15L);
        manifest("1", "COMPLETE", "a", List.of(), segment("a", 0, 10), segment("a", 10, 20), segment("a", 20, 30));
        backlog.refresh();
        assertEquals(List.of(10L, 20L), order());
    }

    @Test
    void ofOverlappingObjectsTheOneThatReachesFarthestIsRead() {
        manifest("1", "COMPLETE", "a", List.of(), segment("a", 0, 10));
        manifest("2", "COMPLETE", "a", List.of(), segment("a", 0, 25), segment("a", 25, 30));
        backlog.refresh();
        assertEquals(List.of(0L, 25L), order());
    }

    @Test
    void aHoleIsAnErrorUnlessAManifestExplainsIt() {
        manifest("1", "COMPLETE", "a", List.of(), segment("a", 5, 10));
        manifest("2", "COMPLETE", "a", List.of(Segment.gap(10, 15, "retention")), segment("a", 15, 20));
        backlog.refresh();
        assertEquals(List.of(5L, 15L), order());
        manifest("3", "COMPLETE", "a", List.of(), segment("a", 22, 30));
        backlog.refresh();
        final ConnectException error = assertThrows(ConnectException.class, this::order);
        assertTrue(error.getMessage().contains("offsets 20 to 21"), error.getMessage());
    }

    @Test
    void rangesWithoutRecordsArePassed() {
        final Map<String, Object> empty = segment("a", 10, 50);
        empty.put("key", null);
        empty.put("records", 0L);
        manifest("1", "COMPLETE", "a", List.of(), segment("a", 0, 10), empty, segment("a", 50, 60));
        backlog.refresh();
        assertEquals(List.of(0L, 50L), order());
    }

    @Test
    void ofATopicsLivesTheLastIsReadAndNoneFollowsAnother() {
        manifest("1", "COMPLETE", "a", List.of(), segment("a", 0, 10));
        manifest("2", "COMPLETE", "b", List.of(), segment("b", 0, 5));
        backlog.refresh();
        final Backlog.Partition only = backlog.partitions().iterator().next();
        assertEquals("b", only.topicId);
        assertEquals(5, only.next().end);
        manifest("3", "COMPLETE", "c", List.of(), segment("c", 0, 5));
        assertThrows(ConnectException.class, backlog::refresh);
    }

    @Test
    void aLifeThatWasBegunIsNotFollowedByAnotherAfterARestart() {
        read.put("ta0", 5L);
        manifest("1", "COMPLETE", "a", List.of(), segment("a", 0, 10));
        manifest("2", "COMPLETE", "b", List.of(), segment("b", 0, 5));
        final ConnectException error = assertThrows(ConnectException.class, backlog::refresh);
        assertTrue(error.getMessage().contains("recreated"), error.getMessage());
    }

    @Test
    void aManifestLeadsToNoOthersObject() {
        final Map<String, Object> foreign = segment("a", 0, 10);
        foreign.put("key", "secret/data/t/a/000000/00000000000000000000.avro");
        manifest("1", "COMPLETE", "a", List.of(), foreign);
        assertThrows(DamagedObject.class, backlog::refresh);
    }

    @Test
    void nothingIsThereYet() {
        backlog.refresh();
        assertEquals(List.of(), order());
        manifest("1", "COMPLETE", "a", List.of());
        backlog.refresh();
        assertNull(backlog.partitions().iterator().next().next());
    }
}

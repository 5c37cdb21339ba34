import java.time.Duration;
import java.util.Properties;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.streams.KafkaStreams;
import org.apache.kafka.streams.StreamsBuilder;
import org.apache.kafka.streams.kstream.Grouped;
import org.apache.kafka.streams.kstream.Materialized;

/** Counts how often each value came: a repartition topic, a changelog, and a line of output for every input. */
public class StreamsApp {
    public static void main(String[] args) throws InterruptedException {
        String bootstrap = args[0], id = args[1], input = args[2], output = args[3], protocol = args[4], state = args[5];
        Properties settings = new Properties();
        settings.put("bootstrap.servers", bootstrap);
        settings.put("application.id", id);
        settings.put("group.protocol", protocol);
        settings.put("state.dir", state);
        settings.put("default.key.serde", Serdes.StringSerde.class.getName());
        settings.put("default.value.serde", Serdes.StringSerde.class.getName());
        settings.put("auto.offset.reset", "earliest"); // whoever lost its offsets counts all of it again
        settings.put("commit.interval.ms", "200");
        settings.put("statestore.cache.max.bytes", "0");
        settings.put("replication.factor", "1");
        if (protocol.equals("classic")) {
            settings.put("session.timeout.ms", "6000"); // it does not leave when it is closed
            settings.put("heartbeat.interval.ms", "1000");
        }
        StreamsBuilder builder = new StreamsBuilder();
        builder.<String, String>stream(input)
            .selectKey((key, value) -> value)
            .groupByKey(Grouped.as("by-word"))
            .count(Materialized.as("counts"))
            .toStream()
            .mapValues(count -> count.toString())
            .to(output);
        KafkaStreams streams = new KafkaStreams(builder.build(), settings);
        Runtime.getRuntime().addShutdownHook(new Thread(() -> streams.close(Duration.ofSeconds(20))));
        streams.start();
        Thread.sleep(Long.MAX_VALUE);
    }
}

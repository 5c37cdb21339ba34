package kafkaferry.connect.s3;

import java.util.Collection;
import java.util.HashMap;
import java.util.Map;

/** What a sink asks of the cluster that it reads. Whatever fails is a ConnectException. */
interface Cluster extends AutoCloseable {
    /** A topic as it is. */
    final class Topic {
        /** In plain base64. */
        final String id;
        final int partitions;
        final int replicas;
        /** Those that are set on the topic itself. */
        final Map<String, String> configs = new HashMap<>();
        boolean compacted;
        boolean logAppendTime;

        Topic(String id, int partitions, int replicas) {
            this.id = id;
            this.partitions = partitions;
            this.replicas = replicas;
        }
    }

    /** A topic's partition. */
    final class Place {
        final String topic;
        final int partition;

        Place(String topic, int partition) {
            this.topic = topic;
            this.partition = partition;
        }

        @Override
        public boolean equals(Object other) {
            return other instanceof Place && ((Place) other).topic.equals(topic) && ((Place) other).partition == partition;
        }

        @Override
        public int hashCode() {
            return topic.hashCode() * 31 + partition;
        }

        @Override
        public String toString() {
            return topic + "-" + partition;
        }
    }

    String id();

    /** Those of these that exist. */
    Map<String, Topic> topics(Collection<String> names);

    Collection<String> names();

    /** First offsets that are still there. */
    Map<Place, Long> starts(Collection<Place> places);

    /** Offsets behind the last records. */
    Map<Place, Long> ends(Collection<Place> places);

    @Override
    void close();
}

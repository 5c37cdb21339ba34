package kafkaferry.connect.s3;

import java.util.Collection;
import java.util.HashMap;
import java.util.Map;
import java.util.Properties;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Function;
import java.util.stream.Collectors;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.AdminClientConfig;
import org.apache.kafka.clients.admin.Config;
import org.apache.kafka.clients.admin.ConfigEntry;
import org.apache.kafka.clients.admin.ListOffsetsResult;
import org.apache.kafka.clients.admin.OffsetSpec;
import org.apache.kafka.clients.admin.TopicDescription;
import org.apache.kafka.common.KafkaFuture;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.config.ConfigResource;
import org.apache.kafka.common.errors.UnknownTopicOrPartitionException;
import org.apache.kafka.connect.errors.ConnectException;

/** The cluster by Kafka's own admin client. */
final class KafkaCluster implements Cluster {
    private static final long PATIENCE = 90;

    private final Admin admin;

    KafkaCluster(Properties settings, String clientId) {
        final Properties own = new Properties();
        own.put(AdminClientConfig.DEFAULT_API_TIMEOUT_MS_CONFIG, "60000");
        own.put(AdminClientConfig.CLIENT_ID_CONFIG, clientId);
        own.putAll(settings);
        admin = Admin.create(own);
    }

    private static <T> T asked(String what, KafkaFuture<T> answer) {
        try {
            return answer.get(PATIENCE, TimeUnit.SECONDS);
        } catch (ExecutionException | TimeoutException error) {
            final Throwable why = error instanceof ExecutionException ? error.getCause() : error;
            throw new ConnectException("Kafka cannot be asked for " + what + ": " + why + ". Fix: see the connector's settings kafka.*, "
                + "and what their user may do (Describe and DescribeConfigs on the topics, Describe on the cluster)", why);
        } catch (InterruptedException error) {
            Thread.currentThread().interrupt();
            throw new ConnectException("interrupted while Kafka was asked for " + what, error);
        }
    }

    @Override
    public String id() {
        return asked("its cluster id", admin.describeCluster().clusterId());
    }

    @Override
    public Collection<String> names() {
        return asked("its topics", admin.listTopics().names());
    }

    @Override
    public Map<String, Topic> topics(Collection<String> names) {
        final Map<String, Topic> found = new HashMap<>();
        for (Map.Entry<String, KafkaFuture<TopicDescription>> one : OldClients.described(admin, names).entrySet()) {
            final TopicDescription told;
            try {
                told = asked("topic " + one.getKey(), one.getValue());
            } catch (ConnectException error) {
                if (error.getCause() instanceof UnknownTopicOrPartitionException) {
                    continue;
                }
                throw error;
            }
            final int replicas = told.partitions().isEmpty() ? 1 : told.partitions().get(0).replicas().size();
            found.put(one.getKey(), new Topic(Layout.inManifest(OldClients.topicId(told)), told.partitions().size(), replicas));
        }
        if (!found.isEmpty()) {
            configs(found);
        }
        return found;
    }

    private void configs(Map<String, Topic> topics) {
        final Collection<ConfigResource> wanted = topics.keySet().stream()
            .map(name -> new ConfigResource(ConfigResource.Type.TOPIC, name)).collect(Collectors.toList());
        final Map<ConfigResource, Config> told = asked("the configs of topics", admin.describeConfigs(wanted).all());
        told.forEach((resource, configs) -> {
            final Topic topic = topics.get(resource.name());
            for (ConfigEntry entry : configs.entries()) {
                if (entry.source() == ConfigEntry.ConfigSource.DYNAMIC_TOPIC_CONFIG && entry.value() != null) {
                    topic.configs.put(entry.name(), entry.value());
                }
                if (entry.name().equals("cleanup.policy")) {
                    topic.compacted = entry.value().contains("compact");
                } else if (entry.name().equals("message.timestamp.type")) {
                    topic.logAppendTime = entry.value().equals("LogAppendTime");
                }
            }
        });
    }

    @Override
    public Map<Place, Long> starts(Collection<Place> places) {
        return offsets("the log start", OffsetSpec.earliest(), places);
    }

    @Override
    public Map<Place, Long> ends(Collection<Place> places) {
        return offsets("the log end", OffsetSpec.latest(), places);
    }

    private Map<Place, Long> offsets(String what, OffsetSpec which, Collection<Place> places) {
        final Map<Place, TopicPartition> wanted = places.stream()
            .collect(Collectors.toMap(Function.identity(), one -> new TopicPartition(one.topic, one.partition)));
        final ListOffsetsResult told = admin.listOffsets(wanted.values().stream()
            .collect(Collectors.toMap(Function.identity(), one -> which)));
        final Map<Place, Long> found = new HashMap<>();
        wanted.forEach((place, at) -> found.put(place, asked(what + " of " + place, told.partitionResult(at)).offset()));
        return found;
    }

    @Override
    public void close() {
        admin.close(java.time.Duration.ofSeconds(5));
    }
}

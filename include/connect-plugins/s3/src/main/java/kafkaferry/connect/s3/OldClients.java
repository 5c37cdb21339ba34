package kafkaferry.connect.s3;

import java.lang.reflect.Method;
import java.util.Collection;
import java.util.Map;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.DescribeTopicsResult;
import org.apache.kafka.clients.admin.TopicDescription;
import org.apache.kafka.common.KafkaFuture;

/** What Kafka's clients of before 3.1 have under other names, or not at all: a worker's own clients are used, whichever they are. */
final class OldClients {
    /** As it stands where brokers or clients know no topic ids (before Kafka 2.8 and 3.1); librdkafka tells the same. */
    static final String NO_TOPIC_ID = "AAAAAAAAAAAAAAAAAAAAAA";

    private OldClients() {}

    @SuppressWarnings("unchecked")
    static Map<String, KafkaFuture<TopicDescription>> described(Admin admin, Collection<String> names) {
        final DescribeTopicsResult result = admin.describeTopics(names);
        try {
            return result.topicNameValues();
        } catch (NoSuchMethodError old) {
            return (Map<String, KafkaFuture<TopicDescription>>) called(result, "values");
        }
    }

    static String topicId(TopicDescription topic) {
        try {
            return topic.topicId().toString();
        } catch (NoSuchMethodError old) {
            return NO_TOPIC_ID;
        }
    }

    private static Object called(Object target, String name) {
        try {
            final Method method = target.getClass().getMethod(name);
            return method.invoke(target);
        } catch (ReflectiveOperationException error) {
            throw new IllegalStateException("these Kafka clients have no " + name, error);
        }
    }
}

package kafkaferry.connect;

import java.util.Map;
import org.apache.kafka.common.config.ConfigException;
import org.apache.kafka.connect.mirror.DefaultReplicationPolicy;

/**
 * Names MirrorMaker 2's topics on the target by a format, {@code ${topic}.replica} when none is given.
 *
 * <pre>
 * replication.policy.class = kafkaferry.connect.RenameReplicationPolicy
 * replication.policy.topic.rename.format = eu.${topic}.v2
 * </pre>
 *
 * Set it, with the same format, on all connectors of a flow: a checkpoint connector without it translates group offsets
 * for topics that do not exist, in silence. The key begins with {@code replication.policy}, as a dedicated MirrorMaker 2
 * hands only such keys on to its connectors (MirrorMakerConfig.connectorBaseConfig).
 *
 * <p>MirrorMaker 2's own topics (offset-syncs, checkpoints, heartbeats) keep the names of DefaultReplicationPolicy.
 *
 * <p>Known limitation, the same as with IdentityReplicationPolicy: the name does not tell which cluster a topic comes
 * from, so cycles are not seen. One direction at a time; and within one cluster leave the renamed topics out of
 * {@code topics}, or each copy is copied again.
 *
 * <p>Uses only what MirrorMaker 2 has had since Kafka 2.7, so that one JAR serves old workers too.
 */
public class RenameReplicationPolicy extends DefaultReplicationPolicy {
    public static final String FORMAT_CONFIG = "replication.policy.topic.rename.format";
    public static final String FORMAT_DEFAULT = "${topic}.replica";

    private static final String TOPIC = "${topic}";
    private static final String SOURCE_ALIAS_CONFIG = "source.cluster.alias";
    private static final String HEARTBEATS = "heartbeats"; // heartbeatsTopic() came with Kafka 3.1

    private String before = "";
    private String after = FORMAT_DEFAULT.substring(TOPIC.length());
    private String separator = SEPARATOR_DEFAULT;
    private String sourceAlias;

    /** Reads the format; MirrorMaker 2 hands it the whole configuration of its connector. */
    @Override
    public void configure(Map<String, ?> props) {
        super.configure(props);
        separator = string(props, SEPARATOR_CONFIG, SEPARATOR_DEFAULT);
        sourceAlias = string(props, SOURCE_ALIAS_CONFIG, null);
        String format = string(props, FORMAT_CONFIG, FORMAT_DEFAULT);
        int place = format.indexOf(TOPIC);
        if (place < 0 || format.indexOf(TOPIC, place + 1) >= 0) {
            throw refusal(format, "must contain ${topic} exactly once, such as " + FORMAT_DEFAULT
                + "; else two topics would get one name, or a name could not be led back");
        }
        before = format.substring(0, place);
        after = format.substring(place + TOPIC.length());
        if (before.isEmpty() && after.isEmpty()) {
            throw refusal(format, "changes nothing; to keep the names set replication.policy.class to "
                + "org.apache.kafka.connect.mirror.IdentityReplicationPolicy");
        }
        if (!(before + after).matches("[a-zA-Z0-9._-]*")) {
            throw refusal(format, "must have only letters, digits, '.', '_' and '-' beside ${topic}: Kafka allows no "
                + "others in a topic's name");
        }
    }

    @Override
    public String formatRemoteTopic(String sourceClusterAlias, String topic) {
        return isHeartbeats(topic) ? super.formatRemoteTopic(sourceClusterAlias, topic) : before + topic + after;
    }

    /** The source's alias for every name that the format can have made, also when nobody has replicated that topic. */
    @Override
    public String topicSource(String topic) {
        if (isHeartbeats(topic)) {
            return super.topicSource(topic);
        }
        return upstreamTopic(topic) == null ? null : sourceAlias;
    }

    /** The name on the source, or null for a name that the format cannot have made. */
    @Override
    public String upstreamTopic(String topic) {
        if (isHeartbeats(topic)) {
            return super.upstreamTopic(topic);
        }
        if (topic.length() <= before.length() + after.length() || !topic.startsWith(before) || !topic.endsWith(after)) {
            return null;
        }
        String upstream = topic.substring(before.length(), topic.length() - after.length());
        return isHeartbeats(upstream) ? null : upstream; // those are never named by the format
    }

    private boolean isHeartbeats(String topic) {
        return topic.equals(HEARTBEATS) || topic.endsWith(separator + HEARTBEATS);
    }

    private static ConfigException refusal(String format, String fix) {
        return new ConfigException(FORMAT_CONFIG, format, fix);
    }

    private static String string(Map<String, ?> props, String key, String fallback) {
        Object value = props.get(key);
        return value == null ? fallback : value.toString().trim();
    }
}

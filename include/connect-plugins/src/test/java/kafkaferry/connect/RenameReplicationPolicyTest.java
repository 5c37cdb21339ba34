package kafkaferry.connect;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.apache.kafka.common.config.ConfigException;
import org.apache.kafka.connect.mirror.DefaultReplicationPolicy;
import org.apache.kafka.connect.mirror.MirrorMakerConfig;
import org.apache.kafka.connect.mirror.MirrorSourceConfig;
import org.apache.kafka.connect.mirror.MirrorSourceConnector;
import org.apache.kafka.connect.mirror.ReplicationPolicy;
import org.apache.kafka.connect.mirror.SourceAndTarget;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class RenameReplicationPolicyTest {
    private static RenameReplicationPolicy policy(String format) {
        RenameReplicationPolicy policy = new RenameReplicationPolicy();
        policy.configure(Map.of(RenameReplicationPolicy.FORMAT_CONFIG, format, "source.cluster.alias", "src"));
        return policy;
    }

    @ParameterizedTest
    @CsvSource({
        "${topic}.replica, orders, orders.replica",
        "${topic}.replica, orders.replica, orders.replica.replica",
        "eu.${topic}, orders, eu.orders",
        "eu-${topic}_v2, a.b-c_d, eu-a.b-c_d_v2",
        "a${topic}a, a, aaa",
        "x.${topic}.x, x.x, x.x.x.x",
    })
    void aNameIsMadeByTheFormatAndLedBack(String format, String topic, String remote) {
        ReplicationPolicy policy = policy(format);
        assertEquals(remote, policy.formatRemoteTopic("src", topic));
        assertEquals(topic, policy.upstreamTopic(remote));
        assertEquals("src", policy.topicSource(remote));
    }

    @Test
    void theDefaultFormatIsThatOfTheReplicatorConnectors() {
        RenameReplicationPolicy policy = new RenameReplicationPolicy();
        assertEquals("orders.replica", policy.formatRemoteTopic("src", "orders"), "also before configure()");
        policy.configure(Map.of("source.cluster.alias", "src"));
        assertEquals("orders.replica", policy.formatRemoteTopic("src", "orders"));
        assertEquals("orders", policy.upstreamTopic("orders.replica"));
    }

    @ParameterizedTest
    @ValueSource(strings = {"orders", "orders.replicas", ".replica", "replica", "orders-replica"})
    void aNameThatTheFormatCannotHaveMadeHasNoSource(String topic) {
        ReplicationPolicy policy = policy("${topic}.replica");
        assertNull(policy.topicSource(topic));
        assertNull(policy.upstreamTopic(topic));
        assertEquals(topic, policy.originalTopic(topic));
    }

    @Test
    void beforeAndAfterMayNotShareCharacters() {
        assertNull(policy("ab${topic}ba").upstreamTopic("aba"));
        assertNull(policy("ab${topic}ba").upstreamTopic("abba"), "an empty name is none");
    }

    @Test
    void aTargetTopicThatOnlyLooksReplicatedLeadsToANameAndHurtsNobody() {
        // MirrorSourceConnector asks this of every topic of the target; it then acts on names of the source only.
        ReplicationPolicy policy = policy("${topic}.replica");
        assertEquals("src", policy.topicSource("never-copied.replica"));
        assertEquals("never-copied", policy.upstreamTopic("never-copied.replica"));
    }

    @Test
    void aSourceTopicNamedLikeACopyIsNoCycle() {
        // MirrorSourceConnector.isCycle goes upstream until a name has no source, or the target as source.
        ReplicationPolicy policy = policy("${topic}.replica");
        String name = "a.replica.replica";
        int steps = 0;
        while (policy.topicSource(name) != null) {
            assertFalse(policy.topicSource(name).equals("tgt"));
            name = policy.upstreamTopic(name);
            steps++;
        }
        assertEquals(2, steps);
        assertEquals("a", policy.originalTopic("a.replica.replica"));
    }

    @Test
    void mirrorMakersOwnTopicsKeepTheirDefaultNames() {
        DefaultReplicationPolicy usual = new DefaultReplicationPolicy();
        usual.configure(Map.of());
        ReplicationPolicy policy = policy("${topic}.replica");
        assertEquals(usual.offsetSyncsTopic("src"), policy.offsetSyncsTopic("src"));
        assertEquals(usual.checkpointsTopic("src"), policy.checkpointsTopic("src"));
        assertEquals(usual.heartbeatsTopic(), policy.heartbeatsTopic());
        for (String topic : List.of("mm2-offset-syncs.src.internal", "src.checkpoints.internal", "__x", ".x", "x",
            "x.internal", "x-internal", "mm2-x.internal", "x.replica")) {
            assertEquals(usual.isInternalTopic(topic), policy.isInternalTopic(topic), topic);
            assertEquals(usual.isCheckpointsTopic(topic), policy.isCheckpointsTopic(topic), topic);
        }
    }

    @Test
    void heartbeatsCarryTheAliasAsEverywhere() {
        ReplicationPolicy policy = policy("${topic}.replica");
        assertEquals("src.heartbeats", policy.formatRemoteTopic("src", "heartbeats"));
        assertEquals("src.far.heartbeats", policy.formatRemoteTopic("src", "far.heartbeats"));
        assertEquals("src", policy.topicSource("src.heartbeats"));
        assertEquals("heartbeats", policy.upstreamTopic("src.heartbeats"));
        assertNull(policy.topicSource("heartbeats"));
        assertTrue(policy.isHeartbeatsTopic("src.far.heartbeats"));
        assertFalse(policy.isHeartbeatsTopic("heartbeats.replica"), "such a name is never made");
        assertEquals("my-heartbeats.replica", policy.formatRemoteTopic("src", "my-heartbeats"), "a user's topic");
    }

    @Test
    void theSeparatorOfHeartbeatsIsTheConfiguredOne() {
        RenameReplicationPolicy policy = new RenameReplicationPolicy();
        policy.configure(Map.of("replication.policy.separator", "_", "source.cluster.alias", "src"));
        assertEquals("src_heartbeats", policy.formatRemoteTopic("src", "heartbeats"));
        assertEquals("heartbeats", policy.upstreamTopic("src_heartbeats"));
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "replica", "${topic}${topic}", "${topic}-${topic}", "$topic.replica", "${Topic}"})
    void aFormatWithoutTheTopicOrWithTwoIsRefused(String format) {
        ConfigException refusal = assertThrows(ConfigException.class, () -> policy(format));
        assertTrue(refusal.getMessage().contains(RenameReplicationPolicy.FORMAT_CONFIG), refusal.getMessage());
        assertTrue(refusal.getMessage().contains("${topic} exactly once"), refusal.getMessage());
    }

    @Test
    void aFormatThatChangesNothingIsRefused() {
        ConfigException refusal = assertThrows(ConfigException.class, () -> policy("${topic}"));
        assertTrue(refusal.getMessage().contains("IdentityReplicationPolicy"), refusal.getMessage());
    }

    @ParameterizedTest
    @ValueSource(strings = {"${topic} replica", "${topic}/x", "${cluster}.${topic}", "ü${topic}"})
    void aFormatThatMakesIllegalNamesIsRefused(String format) {
        ConfigException refusal = assertThrows(ConfigException.class, () -> policy(format));
        assertTrue(refusal.getMessage().contains(RenameReplicationPolicy.FORMAT_CONFIG), refusal.getMessage());
    }

    @Test
    void blanksAroundTheFormatAreNotPartOfIt() {
        assertEquals("orders.copy", policy("  ${topic}.copy ").formatRemoteTopic("src", "orders"));
    }

    @Test
    void mirrorMakerMakesItOfItsConnectorsConfiguration() {
        Map<String, String> props = new HashMap<>();
        props.put("name", "c");
        props.put("connector.class", MirrorSourceConnector.class.getName());
        props.put("source.cluster.alias", "src");
        props.put("target.cluster.alias", "tgt");
        props.put("replication.policy.class", RenameReplicationPolicy.class.getName());
        props.put(RenameReplicationPolicy.FORMAT_CONFIG, "eu.${topic}");
        ReplicationPolicy made = new MirrorSourceConfig(props)
            .getConfiguredInstance("replication.policy.class", ReplicationPolicy.class);
        assertEquals("eu.orders", made.formatRemoteTopic("src", "orders"));
        assertEquals("src", made.topicSource("eu.orders"));
    }

    @Test
    void aDedicatedMirrorMakerHandsTheFormatToItsConnectors() {
        Map<String, String> props = new HashMap<>();
        props.put("clusters", "src, tgt");
        props.put("src.bootstrap.servers", "127.0.0.1:1");
        props.put("tgt.bootstrap.servers", "127.0.0.1:2");
        props.put("src->tgt.enabled", "true");
        props.put("replication.policy.class", RenameReplicationPolicy.class.getName());
        props.put(RenameReplicationPolicy.FORMAT_CONFIG, "eu.${topic}");
        Map<String, String> connector = new MirrorMakerConfig(props)
            .connectorBaseConfig(new SourceAndTarget("src", "tgt"), MirrorSourceConnector.class);
        assertEquals("eu.${topic}", connector.get(RenameReplicationPolicy.FORMAT_CONFIG));
    }
}

package kafkaferry.connect;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.HashSet;
import java.util.Map;
import java.util.ServiceLoader;
import java.util.Set;
import org.apache.kafka.connect.source.SourceConnector;
import org.junit.jupiter.api.Test;

class PluginConnectorsTest {
    @Test
    void aWorkerThatLooksForServicesOnlyFindsThem() {
        Set<String> found = new HashSet<>();
        for (SourceConnector connector : ServiceLoader.load(SourceConnector.class)) {
            found.add(connector.getClass().getName());
        }
        assertTrue(found.contains(PluginMirrorSourceConnector.class.getName()), found.toString());
        assertTrue(found.contains(PluginMirrorCheckpointConnector.class.getName()), found.toString());
    }

    @Test
    void theyTakeTheRenamePolicyAsMirrorMakersOwnDo() {
        Map<String, String> props = Map.of(
            "connector.class", PluginMirrorSourceConnector.class.getName(),
            "source.cluster.alias", "src",
            "target.cluster.alias", "tgt",
            "replication.policy.class", RenameReplicationPolicy.class.getName());
        for (SourceConnector connector : new SourceConnector[] {
            new PluginMirrorSourceConnector(), new PluginMirrorCheckpointConnector()}) {
            connector.config().validate(props).stream()
                .filter(value -> value.name().equals("replication.policy.class"))
                .forEach(value -> assertEquals(0, value.errorMessages().size(), value.errorMessages().toString()));
        }
    }
}

package kafkaferry.connect;

import org.apache.kafka.connect.mirror.MirrorCheckpointConnector;

/**
 * MirrorMaker 2's connector that translates the groups' offsets, for workers where our JAR can only be in a plugin folder (MSK Connect).
 *
 * <p>The worker loads MirrorMaker 2 from its own class path, where classes of a plugin folder are not seen: with
 * MirrorCheckpointConnector it says of RenameReplicationPolicy that it "could not be found", also when the folder holds a
 * copy of MirrorMaker 2 (measured with Kafka 3.7.2 and 4.3.1: the class path wins). A connector of this class is loaded
 * from the folder, and the policy with it.
 */
public class PluginMirrorCheckpointConnector extends MirrorCheckpointConnector { }

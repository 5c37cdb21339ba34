package kafkaferry.connect.s3;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.apache.kafka.common.config.ConfigDef;
import org.apache.kafka.connect.connector.Task;
import org.apache.kafka.connect.sink.SinkConnector;

/** Writes topics to S3 as Kafka Ferry's exports: nothing is lost on the way, and each record is there once. */
public final class S3SegmentSinkConnector extends SinkConnector {
    private Map<String, String> settings = Map.of();

    @Override
    public String version() {
        return Version.TEXT;
    }

    @Override
    public ConfigDef config() {
        return SinkConfig.definition();
    }

    @Override
    public org.apache.kafka.common.config.Config validate(Map<String, String> given) {
        final org.apache.kafka.common.config.Config found = super.validate(given);
        Config.checkTogether(found, given);
        return found;
    }

    @Override
    public void start(Map<String, String> given) {
        new SinkConfig(given);
        settings = given;
    }

    @Override
    public Class<? extends Task> taskClass() {
        return S3SegmentSinkTask.class;
    }

    @Override
    public List<Map<String, String>> taskConfigs(int most) {
        final List<Map<String, String>> found = new ArrayList<>();
        for (int number = 0; number < most; number++) {
            final Map<String, String> own = new HashMap<>(settings);
            own.put(SinkConfig.TASK, String.valueOf(number));
            found.add(own);
        }
        return found;
    }

    @Override
    public void stop() {}
}

package kafkaferry.connect.s3;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.apache.kafka.common.config.ConfigDef;
import org.apache.kafka.connect.connector.Task;
import org.apache.kafka.connect.source.ExactlyOnceSupport;
import org.apache.kafka.connect.source.SourceConnector;

/** Reads an export of Kafka Ferry, or of {@link S3SegmentSinkConnector}, into topics: partitions and their order are kept. */
public final class S3SegmentSourceConnector extends SourceConnector {
    private Map<String, String> settings = Map.of();

    @Override
    public String version() {
        return Version.TEXT;
    }

    @Override
    public ConfigDef config() {
        return SourceConfig.definition();
    }

    @Override
    public org.apache.kafka.common.config.Config validate(Map<String, String> given) {
        final org.apache.kafka.common.config.Config found = super.validate(given);
        SourceConfig.checkSource(found, given);
        return found;
    }

    @Override
    public void start(Map<String, String> given) {
        new SourceConfig(given);
        settings = given;
    }

    @Override
    public Class<? extends Task> taskClass() {
        return S3SegmentSourceTask.class;
    }

    @Override
    public List<Map<String, String>> taskConfigs(int most) {
        final List<Map<String, String>> found = new ArrayList<>();
        for (int number = 0; number < most; number++) {
            final Map<String, String> own = new HashMap<>(settings);
            own.put(SourceConfig.TASK, String.valueOf(number));
            own.put(SourceConfig.TASKS, String.valueOf(most));
            found.add(own);
        }
        return found;
    }

    /** Where a record comes from is its offset (KIP-618): committed in the transaction that the record is in. */
    @Override
    public ExactlyOnceSupport exactlyOnceSupport(Map<String, String> given) {
        return ExactlyOnceSupport.SUPPORTED;
    }

    @Override
    public void stop() {}
}

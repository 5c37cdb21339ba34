package kafkaferry.connect.s3;

/** What the worker shows for both connectors: that of Kafka Ferry (pyproject.toml). */
final class Version {
    static final String TEXT = "0.1.0";

    private Version() {}
}

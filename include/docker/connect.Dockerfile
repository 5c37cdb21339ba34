# The image of the Connect worker in docker-compose.yaml: Kafka's own, and Kafka Ferry's JAR on its class path.
FROM maven:3.9-eclipse-temurin-17 AS plugins
COPY include/stack/pom.xml /build/stack/pom.xml
COPY include/connect-plugins /build/connect-plugins
RUN mvn -q -B -f /build/connect-plugins/pom.xml package -Dmaven.test.skip=true

FROM apache/kafka:4.3.1
# bin/kafka-run-class.sh puts every JAR of this folder on the class path: there MirrorMaker 2 finds our classes.
COPY --from=plugins /build/connect-plugins/target/kafka-ferry-connect-plugins.jar /opt/kafka/libs/

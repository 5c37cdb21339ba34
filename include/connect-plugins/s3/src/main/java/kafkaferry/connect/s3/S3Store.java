package kafkaferry.connect.s3;

import java.io.IOException;
import java.io.InputStream;
import java.net.URI;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.function.Predicate;
import java.util.function.Supplier;
import java.util.stream.Collectors;
import org.apache.kafka.common.config.types.Password;
import org.apache.kafka.connect.errors.ConnectException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import software.amazon.awssdk.auth.credentials.AwsBasicCredentials;
import software.amazon.awssdk.auth.credentials.DefaultCredentialsProvider;
import software.amazon.awssdk.auth.credentials.StaticCredentialsProvider;
import software.amazon.awssdk.core.checksums.RequestChecksumCalculation;
import software.amazon.awssdk.core.checksums.ResponseChecksumValidation;
import software.amazon.awssdk.core.exception.SdkException;
import software.amazon.awssdk.core.sync.RequestBody;
import software.amazon.awssdk.http.urlconnection.UrlConnectionHttpClient;
import software.amazon.awssdk.regions.Region;
import software.amazon.awssdk.services.s3.S3Client;
import software.amazon.awssdk.services.s3.S3ClientBuilder;
import software.amazon.awssdk.services.s3.S3Configuration;
import software.amazon.awssdk.services.s3.model.CompletedPart;
import software.amazon.awssdk.services.s3.model.CreateMultipartUploadRequest;
import software.amazon.awssdk.services.s3.model.Delete;
import software.amazon.awssdk.services.s3.model.DeleteObjectsResponse;
import software.amazon.awssdk.services.s3.model.GetObjectRequest;
import software.amazon.awssdk.services.s3.model.GetObjectResponse;
import software.amazon.awssdk.services.s3.model.ListObjectsV2Request;
import software.amazon.awssdk.services.s3.model.MultipartUpload;
import software.amazon.awssdk.services.s3.model.NoSuchKeyException;
import software.amazon.awssdk.services.s3.model.ObjectIdentifier;
import software.amazon.awssdk.services.s3.model.PutObjectRequest;
import software.amazon.awssdk.services.s3.model.S3Exception;
import software.amazon.awssdk.services.s3.model.S3Object;

/** S3, or what speaks its protocol. */
final class S3Store implements Store {
    private static final Logger LOG = LoggerFactory.getLogger(S3Store.class);
    private static final int DELETED_AT_ONCE = 1000; // S3's limit

    private final S3Client client;
    private final String bucket;
    private final String prefix;
    private final String encryption;
    private final String kmsKey;

    S3Store(Config config) {
        bucket = config.getString(Config.BUCKET);
        prefix = config.prefix();
        encryption = emptyToNull(config.getString(Config.SSE));
        kmsKey = emptyToNull(config.getString(Config.KMS_KEY));
        final Duration patience = Duration.ofMillis(config.getLong(Config.TIMEOUT));
        final String url = config.getString(Config.URL);
        final String region = config.getString(Config.REGION);
        // No aws-chunked bodies and no checksums that were not asked for: other stores refuse them.
        final S3ClientBuilder builder = S3Client.builder()
            .httpClientBuilder(UrlConnectionHttpClient.builder()
                .connectionTimeout(Duration.ofSeconds(10))
                .socketTimeout(Duration.ofSeconds(30)))
            .serviceConfiguration(S3Configuration.builder()
                .pathStyleAccessEnabled(config.pathStyle())
                .chunkedEncodingEnabled(false)
                .build())
            .requestChecksumCalculation(RequestChecksumCalculation.WHEN_REQUIRED)
            .responseChecksumValidation(ResponseChecksumValidation.WHEN_REQUIRED)
            .overrideConfiguration(settings -> settings
                .apiCallTimeout(patience)
                .retryStrategy(strategy -> strategy.maxAttempts(config.getInt(Config.RETRIES) + 1)));
        if (!url.isEmpty()) {
            builder.endpointOverride(URI.create(url));
        }
        if (!region.isEmpty() || !url.isEmpty()) {
            builder.region(Region.of(region.isEmpty() ? "us-east-1" : region));
        }
        final String id = config.getString(Config.KEY_ID);
        final Password secret = config.getPassword(Config.SECRET);
        builder.credentialsProvider(id.isEmpty() ? DefaultCredentialsProvider.builder().build()
            : StaticCredentialsProvider.create(AwsBasicCredentials.create(id, secret.value())));
        try {
            client = builder.build();
        } catch (SdkException error) {
            throw new ConnectException("S3 cannot be used: " + error.getMessage(), error);
        }
    }

    private static String emptyToNull(String text) {
        return text.isEmpty() ? null : text;
    }

    @Override
    public String location() {
        return "s3://" + bucket + "/" + prefix;
    }

    private <T> T tried(String what, String key, Supplier<T> call) {
        try {
            return call.get();
        } catch (SdkException error) {
            throw failed(what, key, error);
        }
    }

    private ConnectException failed(String what, String key, Exception error) {
        String hint = "";
        if (error instanceof S3Exception) {
            final int status = ((S3Exception) error).statusCode();
            hint = status == 403 ? ". Fix: let the worker's credentials do that, or set " + Config.KEY_ID
                : status == 404 ? ". Fix: correct " + Config.BUCKET + ", or make the bucket" : "";
        }
        return new ConnectException(location() + key + ": cannot " + what + ": " + error.getMessage() + hint, error);
    }

    @Override
    public byte[] get(String key, int limit) {
        try (InputStream input = open(key)) {
            if (input == null) {
                return null;
            }
            final byte[] found = input.readNBytes(limit + 1);
            if (found.length > limit) {
                throw new DamagedObject(location() + key, "it has more than " + limit + " bytes, which none of ours has");
            }
            return found;
        } catch (IOException error) {
            throw failed("read", key, error);
        }
    }

    @Override
    public InputStream open(String key) {
        return tried("read", key, () -> {
            try {
                return client.getObject(GetObjectRequest.builder().bucket(bucket).key(prefix + key).build());
            } catch (NoSuchKeyException gone) {
                return null;
            }
        });
    }

    private static RequestBody body(Chunks content) {
        // Asked for the stream again, the client can send it again.
        return RequestBody.fromContentProvider(content::stream, content.size(), "application/octet-stream");
    }

    @Override
    public void put(String key, Chunks content) {
        tried("write", key, () -> client.putObject(
            PutObjectRequest.builder().bucket(bucket).key(prefix + key).serverSideEncryption(encryption).ssekmsKeyId(kmsKey).build(),
            body(content)));
    }

    @Override
    public Upload upload(String key) {
        final String id = tried("write", key, () -> client.createMultipartUpload(CreateMultipartUploadRequest.builder()
            .bucket(bucket).key(prefix + key).serverSideEncryption(encryption).ssekmsKeyId(kmsKey).build()).uploadId());
        final List<CompletedPart> parts = new ArrayList<>();
        return new Upload() {
            @Override
            public void part(Chunks content) {
                final int number = parts.size() + 1;
                final String tag = tried("write a part of", key, () -> client.uploadPart(
                    request -> request.bucket(bucket).key(prefix + key).uploadId(id).partNumber(number), body(content)).eTag());
                parts.add(CompletedPart.builder().partNumber(number).eTag(tag).build());
            }

            @Override
            public void complete() {
                tried("complete", key, () -> client.completeMultipartUpload(request -> request.bucket(bucket).key(prefix + key)
                    .uploadId(id).multipartUpload(all -> all.parts(parts))));
            }

            @Override
            public void abort() {
                giveUp(prefix + key, id);
            }
        };
    }

    private void giveUp(String key, String id) {
        try {
            client.abortMultipartUpload(request -> request.bucket(bucket).key(key).uploadId(id));
        } catch (SdkException error) {
            LOG.warn("{}: an unfinished upload stays: {}", key, error.getMessage());
        }
    }

    @Override
    public void abortUploads(String below, Predicate<String> wanted) {
        final List<MultipartUpload> found;
        try {
            found = client.listMultipartUploadsPaginator(request -> request.bucket(bucket).prefix(prefix + below)).uploads().stream()
                .filter(one -> wanted.test(one.key().substring(prefix.length()))).collect(Collectors.toList());
        } catch (S3Exception error) {
            if (error.statusCode() != 404) { // which some servers answer when there is none
                LOG.warn("{}{}: unfinished uploads are not looked for: {}", location(), below, error.getMessage());
            }
            return;
        } catch (SdkException error) {
            LOG.warn("{}{}: unfinished uploads are not looked for: {}", location(), below, error.getMessage());
            return;
        }
        for (MultipartUpload one : found) {
            LOG.info("{}: an upload that was not finished is given up", one.key());
            giveUp(one.key(), one.uploadId());
        }
    }

    @Override
    public List<Listed> list(String below, String after) {
        final ListObjectsV2Request.Builder request = ListObjectsV2Request.builder().bucket(bucket).prefix(prefix + below);
        if (after != null) {
            request.startAfter(prefix + after);
        }
        return tried("list", below, () -> client.listObjectsV2Paginator(request.build()).contents().stream()
            .map((S3Object one) -> new Listed(one.key().substring(prefix.length()), one.size()))
            .collect(Collectors.toList()));
    }

    @Override
    public void delete(Collection<String> keys) {
        final List<String> all = new ArrayList<>(keys);
        for (int at = 0; at < all.size(); at += DELETED_AT_ONCE) {
            final List<ObjectIdentifier> some = all.subList(at, Math.min(all.size(), at + DELETED_AT_ONCE)).stream()
                .map(key -> ObjectIdentifier.builder().key(prefix + key).build()).collect(Collectors.toList());
            final DeleteObjectsResponse done = tried("delete", all.get(at), () -> client.deleteObjects(
                request -> request.bucket(bucket).delete(Delete.builder().objects(some).quiet(true).build())));
            if (done.hasErrors() && !done.errors().isEmpty()) {
                throw new ConnectException(location() + done.errors().get(0).key() + ": cannot delete: " + done.errors().get(0).message());
            }
        }
    }

    @Override
    public void close() {
        client.close();
    }
}

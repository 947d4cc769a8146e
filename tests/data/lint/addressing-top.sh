zenml artifact-store register alibaba_store -f s3 \
    --path='s3://your-bucket-name/zenml' \
    --authentication_secret='alibaba_secret' \
    --client_kwargs='{"endpoint_url": "https://oss-eu-central-1.aliyuncs.com"}' \
    --config_kwargs='{"signature_version": "s3", "addressing_style": "virtual"}'

"""Limits of the services, and of the product where it sets its own."""

from __future__ import annotations

# Amazon DynamoDB: keys per BatchGetItem, items per BatchWriteItem, actions per TransactWriteItems.
# https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/ServiceQuotas.html
DYNAMODB_READ_KEYS = 100
DYNAMODB_WRITE_ITEMS = 25
DYNAMODB_TRANSACTION_ACTIONS = 100
# Amazon SQS: messages per SendMessageBatch, ReceiveMessage and DeleteMessageBatch.
# https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-quotas.html
SQS_MESSAGES = 10
# Amazon Comprehend: texts per Batch* call, and bytes of UTF-8 per text.
# https://docs.aws.amazon.com/comprehend/latest/dg/guidelines-and-limits.html
COMPREHEND_TEXTS = 25
COMPREHEND_TEXT_BYTES = 5000
# Amazon Translate: bytes of UTF-8 per text of TranslateText.
# https://docs.aws.amazon.com/translate/latest/dg/what-is-limits.html
TRANSLATE_TEXT_BYTES = 10_000
# Amazon SageMaker: characters of one environment variable of a processing job; a job's options are one.
# https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_CreateProcessingJob.html
JOB_OPTIONS_CHARACTERS = 256
# Amazon SageMaker: characters of a processing job's name.
JOB_NAME_CHARACTERS = 63
# Amazon SageMaker: longest run time of a processing job, seven days.
# https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_ProcessingStoppingCondition.html
JOB_SECONDS = 604_800

# Entries on one page of a list of the API.
PAGE_ENTRIES = 100
# Companies on one page, without their observations, and changes in one request.
PAGE_COMPANIES = 1000
COMPANY_CHANGES = 100
# Users whom a project can be shared with: creating it is one transaction of the project, its owner, and two items for
# each of them.
PROJECT_SHARES = 49
# Projects that others can share with one user, archived ones included.
SHARED_PROJECTS = 500
PROJECT_DESCRIPTION_CHARACTERS = 2000
UPLOAD_BYTES = 100 * 1024 * 1024
# Seconds for which forms that upload are valid: an upload has to begin in this time.
FORM_SECONDS = 900
# A form ends with the access token of whoever asked for it, but is valid for this long: the upload has to begin.
LEAST_FORM_SECONDS = 60
# Seconds for which links that download are valid. Whoever has a link can use it, whatever was revoked meanwhile.
LINK_SECONDS = 300
# Highest values of settings that count characters, bytes and dollars; far above what anybody pays for.
MOST_CHARACTERS = 10**12
MOST_BYTES = 10**15
MOST_DOLLARS = 10**9
# Highest setting of running jobs: their names are in one item of the table, which each start writes.
MOST_RUNNING_JOBS = 300

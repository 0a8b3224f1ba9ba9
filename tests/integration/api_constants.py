"""What the API program and its test both know."""

CODE = """
import json

def handler(event, context):
    return {"statusCode": 200, "headers": {"content-type": "application/json"}, "body": json.dumps(event)}
"""
ORIGIN = "https://app.example.com"

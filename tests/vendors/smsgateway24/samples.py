"""The samples of the vendor's document, byte for byte, and answers captured in the vendor's own example code."""

from __future__ import annotations

# ruff: noqa: E501

# Answer of addsms.
SENT = b"""{
"error": 0,
"sms_id": 62807347,
"message": "Sms has been saved successfully"
}"""

# Parameter datajson of addalotofsms, as it stands in the table.
BULK_CELL = b'{"token":"df427bfcf113c9a21c67718035076b5b","smsdata":[{"sendto":"015752982212","body":"Test message","sim":1,"timetosend":"2019-07-01 23:50:00","device_id":260},{"sendto":"+4915752982212","body":"Test message 2","sim":1,"timetosend":"2019-07-01 23:50:00","device_id":260,"urgent":1}]}'

# The same, as it stands below the table.
BULK = b"""{
"token":"df427bfcf113c9a21c6771803501",
"smsdata":[
{
"sendto":"015752982212",
"body":"Your password is 12345",
"sim":1,
"timetosend":"2019-07-01 23:50:00",
"device_id":260,
"customerid":122,
"urgent":1
},
{
"sendto":"015752982212",
"body":"Regular SMS. Not urgnet",
"sim":1,
"timetosend":"2019-07-01 23:50:00",
"device_id":260,
"customerid":122,
"urgent":0
}
]
}"""

# Answer of getallsms: without error, count and message, which the table has.
LIST = b"""{
"smss": {
"62050971": {
"id": 62050971,
"sendto": "+4912312312332",
"body": "Hello! Thank you for Order! ",
"customerid": null,
"status": 2,
"statustitle": "sending",
"deviceid": 11231,
"urgent": null,
"created": {
"date": "2023-11-02 22:44:43.000000",
"timezone_type": 3,
"timezone": "Europe/Paris"
},
"senttime": null,
"timetosend": null,
"paketid": null,
"pakettitle": null,
"paketbody": null
},
"62051117": {
"id": 62051117,
"sendto": "+4912312312332",
"body": "Hello! Thank you for Order! ",
"customerid": null,
"status": 7,
"statustitle": "delivered",
"deviceid": 11231,
"urgent": null,
"created": {
"date": "2023-11-02 22:46:09.000000",
"timezone_type": 3,
"timezone": "Europe/Paris"
},
"senttime": null,
"timetosend": null,
"paketid": null,
"pakettitle": null,
"paketbody": null
}
}
}"""

# Answer of savetag.
TAG = b"""{
"error": 0,
"tag_id": 8303,
"message": "OK"
}"""

# Answer of savecontact.
CONTACT = b'{"error":0,"contact_id":15954765,"message":"ok"}'

# Answer of getalldevices: without error, which the table does not have either.
DEVICES = b"""{
"count": 2,
"device": {
"1576": {
"id": 1576,
"title": "AOSP_on_IA_Emulator",
"number": null,
"imei": "358240051111110",
"created": {
"date": "2020-03-28 20:10:29.000000",
"timezone_type": 3,
"timezone": "UTC"
},
"createdhumanformat": "28.03.2020 20:10:29",
"lastseen": {
"date": "2020-04-23 17:02:21.000000",
"timezone_type": 3,
"timezone": "UTC"
},
"lastseenhumanformat": "23.04.2020 17:02:21",
"serialnumber": "EMULATOR30X0X5X0",
"siminfo": [
{
"Slot": "0",
"IccId": "89014103211118510720",
"Number": " 15555215554",
"Roaming": "0",
"CountryIso": "us",
"CarrierName": "Android (T-Mobile)"
}
],
"appversion": "12.1.21",
"isappversionactual": false,
"delaybetweeneachsms": null,
"delaybetweenrequest": 1,
"subscription": true
},
"1297": {
"id": 1297,
"title": "Android_SDK_built_for_x86",
"number": null,
"imei": "null",
"created": {
"date": "2020-01-20 14:01:05.000000",
"timezone_type": 3,
"timezone": "UTC"
},
"createdhumanformat": "20.01.2020 14:01:05",
"lastseen": {
"date": "2020-04-20 20:51:34.000000",
"timezone_type": 3,
"timezone": "UTC"
},
"lastseenhumanformat": "20.04.2020 20:51:34",
"serialnumber": "unknown",
"siminfo": [
{
"Slot": "0",
"IccId": "8949226172233934327",
"Number": "+4915752982212",
"Roaming": "1",
"CountryIso": "de",
"CarrierName": "Drillisch (o2)"
}
],
"appversion": "12.1.21",
"isappversionactual": false,
"delaybetweeneachsms": 5,
"delaybetweenrequest": 10,
"subscription": false
}
}
}"""

# From here on: not in the document, but in the vendor's repositories SmsGateWay24 and phpexample.
TOKEN = b'{"error":0,"message":"OK","token":"abbde3e31e9d026c02f41119fc551111e"}'
TOKEN_REFUSED = b'{"error":1,"message":"Login or password incorrect"}'
BULK_SENT = b'{"error":0,"message":"Sms has been saved successfully"}'
STATUS = b'{"error":0,"sms_id":22074698,"status":1,"status_description":"New","message":"Ok"}'
DEVICE_STATUS = b'{"online":false,"error":0,"message":"OK","device_id":260,"lastseen":{"date":"2020-08-11 16:09:53.000000","timezone_type":1,"timezone":"+02:00"},"diffseconds":28851900,"title":"SM-F NIK!"}'
LIST_2021 = b'{"error":0,"smss":{"22074938":{"id":22074938,"sendto":"+4915752982212","body":"Test message from API","customerid":19921,"status":1,"statustitle":"New","deviceid":260,"urgent":true,"created":{"date":"2021-07-11 13:04:46.000000","timezone_type":1,"timezone":"+02:00"},"senttime":null,"timetosend":{"date":"2021-08-01 14:00:00.000000","timezone_type":1,"timezone":"+02:00"},"sim":0,"paketid":null,"pakettitle":null,"paketbody":null},"22078325":{"id":22078325,"sendto":"+4915752982212","body":"test message 1","customerid":0,"status":1,"statustitle":"New","deviceid":260,"urgent":true,"created":{"date":"2021-07-11 14:06:50.000000","timezone_type":1,"timezone":"+02:00"},"senttime":null,"timetosend":{"date":"2019-07-02 01:50:00.000000","timezone_type":1,"timezone":"+02:00"},"sim":0,"paketid":null,"pakettitle":null,"paketbody":null}},"count":2,"message":"Ok"}'

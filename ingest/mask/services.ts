/**
 * Services whose requests and answers carry what people wrote and what models answered, and what may be kept of them: members that name
 * things or count them. Everything else that is text becomes its length and hash. Members are written in lower case without `-`, `_`
 * and `@`. Beside these, members are kept whose last word says that they identify (`IDENTIFYING`). Facts: aws b.3, b.4; gcp c.
 */

/** Members that are kept for every service, when they hold no white space. */
const COMMON =
  'key field model modelname foundationmodel engine provider publisher vendor operation action service role type object status state outcome code errorcode reason severity level ' +
  'stopreason finishreason finishreasons guardrailaction amazonbedrockguardrailaction traffictype latency servicetier performanceconfig region location ' +
  'inferenceregion eventtype eventname eventsource eventversion logname loglevel category kind apimethod methodname servicename method httpmethod host source sourceformat schematype environment ' +
  'contenttype inputcontenttype outputcontenttype accept bearertokentype protocol protocolversion currency unit runtime language languagecode labels label name displayname parent ' +
  'endpoint resource resourcename deployedmodel principal subject issuer audience accountid account project tenant organization bucket prefix namespace workspace ' +
  'inputbodys3path outputbodys3path inputuris outputuri outputuriprefix bigquerydestination inputdataset s3uri'

/** AWS, by the event source's name before `.amazonaws.com`; `bedrock*` and `sagemaker*` stand for all of theirs. */
const AWS: Readonly<Record<string, string>> = {
  'bedrock*':
    'agentname agentstatus customizationtype jobname flowname promptname guardrailname knowledgebasename imageformat orchestrationtype responsestreaming',
  'sagemaker*':
    'endpointname endpointconfigname modelpackagename modelpackagegroupname trainingjobname variantname instancetype volumesizeingb trainingimage image',
  qbusiness: 'chatmode actionreviewtype attachmentname',
  qapps: 'appversion cardtype',
  q: 'origin',
  qdeveloper: 'origin',
  codewhisperer: 'programminglanguage',
  'lex*': 'botaliasname localeid slottype dialogactiontype',
  'comprehend*': 'dominantlanguage',
  kendra: 'sortorder queryresulttype',
  'translate*': 'sourcelanguagecode targetlanguagecode',
  'textract*': 'featuretypes',
  'polly*': 'voiceid outputformat texttype',
  'transcribe*': 'mediaformat',
  'healthlake*': '',
  wisdom: '',
  connect: '',
  'q-apps': '',
  opensearchserverless: '',
  rekognition: '',
  'chime*': '',
}

/** Google Cloud, by `serviceName` before `.googleapis.com`. */
const GOOGLE: Readonly<Record<string, string>> = {
  aiplatform: 'datasetname ragcorpus index indexendpoint tunedmodel basemodel sessionid reasoningengine spec metadataschemauri',
  generativelanguage: 'tunedmodel basemodel',
  discoveryengine: 'servingconfig session dataestore datastore branch controls useruid userpseudoid solutiontype industryvertical',
  dialogflow: 'session agent flow page playbook intentname entitytypename',
  cloudaicompanion: '',
  geminicloudassist: '',
  contactcenterinsights: '',
  documentai: 'processorversion',
  language: '',
  translate: 'sourcelanguagecode targetlanguagecode mimetype',
  speech: 'recognizer',
  texttospeech: 'voice',
  vision: '',
  videointelligence: '',
  notebooklm: '',
  modelarmor: 'template',
  retail: '',
  dlp: 'inspecttemplatename',
  // No model, but payloads all the same.
  secretmanager: '',
}

const sets = (table: Readonly<Record<string, string>>): ReadonlyMap<string, ReadonlySet<string>> =>
  new Map(Object.entries(table).map(([service, members]) => [service, new Set(`${COMMON} ${members}`.split(' ').filter((member) => member !== ''))]))

const aws = sets(AWS)
const google = sets(GOOGLE)
/** What is kept of other texts of unknown or of an LLM's origin. */
export const COMMON_MEMBERS: ReadonlySet<string> = new Set(COMMON.split(' '))

/** Also `runtime.sagemaker` and `runtime-v2-lex`. */
const startsSo = (service: string, name: string): boolean => service.startsWith(name) || service.split(/[.-]/).includes(name)

const found = new Map<string, ReadonlySet<string> | null>()

/** The members that may be kept of a service's bodies; null for the many services that log no content. */
export function membersOf(service: string): ReadonlySet<string> | null {
  let members = found.get(service)
  if (members === undefined) {
    const short = service.toLowerCase().replace(/\.(?:amazonaws(?:\.com)?(?:\.cn)?|googleapis\.com)$/, '')
    const cloud = service.toLowerCase().endsWith('.googleapis.com') ? google : aws
    members = cloud.get(short) ?? [...cloud].find(([name]) => name.endsWith('*') && startsSo(short, name.slice(0, -1)))?.[1] ?? null
    if (found.size < 5_000) found.set(service, members)
  }
  return members
}

/** Last words of keys whose value identifies something, or is a time: kept in every body when it looks like one word. */
export const IDENTIFYING: ReadonlySet<string> = new Set(
  (
    'id ids identifier identifiers uti jti sub azp appid tid sid arn arns uid uuid guid oid oids sha256 version versions region regions account time times timestamp at on date created updated expires ' +
    'type types subtype name names format status state mode kind ip ips address port uri uris path etag hash checksum crn zone tier size'
  ).split(' '),
)

/** Members below which only numbers are kept: what somebody wrote, what a model answered, what a tool was given and gave back. */
export const CONTENT: ReadonlySet<string> = new Set(
  (
    'prompt prompts systemprompt promptsession prompttext completion completions generation generations messages contents content parts text texts inputtext outputtext instances predictions ' +
    'arguments args toolinput tooloutput toolresult functioncall functionresponse functioncallarguments tooluse input inputs output outputs query queries question questions answer answers response ' +
    'responses request requests result results payload body requestbody responsebody httpbody data document documents chunk chunks passage passages citations snippet snippets summary ' +
    'instruction instructions system systeminstruction systeminstructions conversation conversationhistory transcript turns turn utterance dialog dialogue message messagetext note notes comment comments ' +
    'description title sessionattributes promptsessionattributes sessionstate promptvariables variables parameters code script html markdown bytes image images audio video file files attachment attachments ' +
    'embedding embeddings reasoning thinking thought thoughts rationale observation trace choices candidates delta metadata usermessage assistantmessage systemmessage usermetadata ' +
    'msg log line raw event examples example context memory memories fact facts retrievalquery searchquery rewrittenquery'
  ).split(' '),
)

/** Keys that hold a model's request or answer in whatever record they stand. */
export const BODIES: ReadonlySet<string> = new Set(
  (
    'inputbodyjson outputbodyjson fullrequest fullresponse requestpayload responsepayload otellog genai genaiprompt genaicompletion inputmessages outputmessages llminput llmoutput llmprompts llmcompletions ' +
    'systemprompt systeminstruction systeminstructions promptsessionattributes inputtext outputtext usermessage assistantmessage systemmessage completion completions prompts prompttext promptvariables querytext question userquestion userquery userinput utterance'
  ).split(' '),
)

/** Words of closed lists that say what a part is, never what is in it. */
export const WORDS: ReadonlySet<string> = new Set(
  (
    'user assistant system tool model function developer human ai text image image_url tool_use tool_result tool_call thinking redacted_thinking input_text output_text reasoning message message_start ' +
    'message_delta message_stop content_block_start content_block_delta content_block_stop ping text_delta input_json_delta thinking_delta json_object application/json text/plain'
  ).split(' '),
)
/** Members whose word is kept although it stands inside of content. */
export const WORD_MEMBERS: ReadonlySet<string> = new Set(
  'role type stopreason finishreason guardrailaction amazonbedrockguardrailaction traffictype'.split(' '),
)

/** Members of wrappers and of rows that may hold a whole record, as an object, a list or a text: a record in there is masked as what it is. */
export const WRAPS: ReadonlySet<string> = new Set(
  (
    'message messages log logs event events record records original raw source result results resultrows queryresultrows data body bodies value values items hits fields line msg detail details payload ' +
    'cloudtrailevent logevents entries rows textpayload jsonpayload protopayload eventdata full_log fulllog responses notification document doc tables receivedmessages'
  ).split(' '),
)
/** Members of the log of an own API that hold what was asked and answered: an account of who called what needs none of it. */
export const API_BODIES: ReadonlySet<string> = new Set(
  'q userinput userquery arguments args toolarguments toolinput tooloutput title search searchterm utterance transcript summary description comment instruction instructions body response requestbody responsebody requestpayload responsepayload payload message msg messages input inputs output outputs prompt prompts query question answer completion content contents text data params searchparams querystring'.split(
    ' ',
  ),
)
